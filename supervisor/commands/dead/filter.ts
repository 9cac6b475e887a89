import { Option, type Command } from 'commander';

import type { DeadLetterFilter } from '../../../src/domain/dead-letters/filter.js';
import { UNREADABLE } from '../../../src/domain/dead-letters/index-line.js';
import { DEAD_LETTER_REASONS } from '../../../src/domain/dead-letters/reasons.js';
import { usageError } from '../kit/command.js';

export interface FilterOptions {
  readonly reason?: string;
  readonly client?: string;
  readonly domain?: string;
  readonly text?: string;
  readonly olderThan?: string;
  readonly newerThan?: string;
  readonly id?: readonly string[];
}

export function addFilterOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--reason <reason>', 'only those dead for this reason').choices([...DEAD_LETTER_REASONS, UNREADABLE]),
    )
    .option('--client <id>', 'only those whose message has this client_id')
    .option('--domain <name>', 'only those whose message has this domain')
    .option('--text <text>', 'only those with this in the message or the error; reads the letters, which takes longer')
    .option('--older-than <age>', 'only those dead for at least this long: 90s, 15m, 2h, 7d')
    .option('--newer-than <age>', 'only those dead for at most this long')
    .option('--id <id...>', 'only these: message ids, or keys as "dead list" shows them');
}

export function filterOf({ reason, client, domain, text, olderThan, newerThan, id }: FilterOptions): DeadLetterFilter {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(client === undefined ? {} : { client }),
    ...(domain === undefined ? {} : { domain }),
    ...(text === undefined ? {} : { text }),
    ...(id === undefined ? {} : { ids: id }),
    ...(olderThan === undefined ? {} : { olderThanMs: ageMs('--older-than', olderThan) }),
    ...(newerThan === undefined ? {} : { newerThanMs: ageMs('--newer-than', newerThan) }),
  };
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function ageMs(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text);
  if (!match) throw usageError(`${flag} is ${JSON.stringify(text)}; it must be a time such as 90s, 15m, 2h or 7d.`);
  return Number(match[1]) * (UNITS[match[2] || 's'] ?? 1_000);
}
