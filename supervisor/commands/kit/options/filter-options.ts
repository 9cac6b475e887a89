/** Which messages a command means: one set of flags for all that look at messages or do something with them. */
import { Option, type Command } from 'commander';

import { UNREADABLE } from '../../../../src/domain/dead-letters/index-line.js';
import { DEAD_LETTER_REASONS } from '../../../../src/domain/dead-letters/reasons.js';
import { FAILURE_REASONS } from '../../../../src/domain/delivery-outcome.js';
import {
  contradictionIn,
  type MessageFilter,
  type MessagePlace,
} from '../../../../src/domain/filter/message-filter.js';
import {
  MOMENT_EXPECTED,
  parseMoment,
  parseTimeSpan,
  TIME_SPAN_EXPECTED,
} from '../../../../src/domain/filter/moment.js';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { usageError } from '../command.js';

export interface FilterOptions {
  readonly in?: readonly string[];
  readonly reason?: string;
  readonly client?: string;
  readonly domain?: string;
  readonly id?: readonly string[];
  readonly idPrefix?: string;
  readonly text?: string;
  readonly answer?: string;
  readonly olderThan?: string;
  readonly newerThan?: string;
  readonly since?: string;
  readonly until?: string;
  readonly dueWithin?: string;
}

/** @param places where the command looks: it gets the flags that mean something there. */
export function addFilterOptions(command: Command, places: readonly MessagePlace[]): Command {
  const words = wordsFor(places);
  if (places.length > 1) {
    command.addOption(new Option('--in <place...>', 'only those that lie here').choices(places.map(flagWord)));
  }
  command
    .addOption(reasonOption(words.reason, words.reasons))
    .option('--client <id>', 'only those whose message has this client_id')
    .option('--domain <name>', 'only those whose message has this domain')
    .option('--id <id...>', `only these: ${words.ids}`)
    .option('--id-prefix <text>', 'only those whose message id begins with this')
    .option('--text <text>', 'only those with this in the message or the error; reads them, which takes longer')
    .option('--answer <text>', "only those with this in the main server's last answer; reads them as well")
    .option('--older-than <age>', `only those ${words.aged} for at least this long: 90s, 15m, 2h, 7d`)
    .option('--newer-than <age>', `only those ${words.aged} for at most this long`)
    .option('--since <time>', `only those ${words.aged} since then: 2026-01-15T10:30Z, or 2h for two hours ago`)
    .option('--until <time>', `only those ${words.aged} until then, given in the same ways`);
  if (places.includes('retry')) {
    command.option('--due-within <time>', 'only those whose retry is due in this time or less: 10s');
  }
  return command;
}

function wordsFor(places: readonly MessagePlace[]) {
  const dead = [...DEAD_LETTER_REASONS, UNREADABLE];
  if (!places.includes('dead')) {
    return {
      reasons: FAILURE_REASONS,
      reason: 'only those whose last attempt failed for this reason',
      ids: 'message ids',
      aged: 'queued',
    };
  }
  const ids = 'message ids, or keys as "dead list" shows them';
  const reason = 'only those dead for this reason, or whose last attempt failed for it';
  return {
    reasons: [...dead, ...FAILURE_REASONS],
    reason,
    ids,
    aged: places.length === 1 ? 'dead' : 'queued (or dead)',
  };
}

/** A status in place of its reason, `404`, is taken where it has a reason of its own: no other would be meant with it. */
export function reasonOption(description: string, reasons: readonly string[]): Option {
  const option = new Option('--reason <reason>', description).choices(reasons);
  const check = option.parseArg;
  return option.argParser((text, previous) => {
    const named = `http_${text}`;
    return check?.(reasons.includes(named) ? named : text, previous);
  });
}

/** `in-flight`, as it is written on a command line. */
function flagWord(place: MessagePlace): string {
  return place.replace('_', '-');
}

/** @throws CommandError for a time that cannot be read, a text that is empty, and what can mean no message. */
export function filterOf(options: FilterOptions, nowMs = systemClock.wallNow()): MessageFilter {
  const { in: places, reason, client, domain, id: ids, idPrefix, text, answer } = options;
  checkTexts({ client, domain, 'id-prefix': idPrefix, text, answer }, ids);
  const filter = given({
    places: places?.map((place) => place.replace('-', '_') as MessagePlace),
    ...{ reason, client, domain, ids, idPrefix, text, answer },
    olderThanMs: spanMs('--older-than', options.olderThan),
    newerThanMs: spanMs('--newer-than', options.newerThan),
    sinceMs: momentMs('--since', options.since, nowMs),
    untilMs: momentMs('--until', options.until, nowMs),
    dueWithinMs: spanMs('--due-within', options.dueWithin),
  });
  const contradiction = contradictionIn(filter);
  if (contradiction !== undefined) throw usageError(contradiction);
  return filter;
}

/** A variable of a script that is not set must not mean all of them. */
function checkTexts(flags: Readonly<Record<string, string | undefined>>, ids: readonly string[] = []): void {
  const empty = Object.keys(flags).find((name) => flags[name] === '') ?? (ids.includes('') ? 'id' : undefined);
  if (empty !== undefined) throw usageError(`--${empty} is empty; give a text, or leave it away.`);
}

function given(all: { readonly [Name in keyof MessageFilter]-?: MessageFilter[Name] | undefined }): MessageFilter {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function spanMs(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseTimeSpan(text);
  if (ms === undefined) throw unreadable(flag, text, TIME_SPAN_EXPECTED);
  return ms;
}

export function momentMs(flag: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = parseTimeSpan(text);
  const ms = ago === undefined ? parseMoment(text) : nowMs - ago;
  if (ms === undefined) throw unreadable(flag, text, `${MOMENT_EXPECTED}, or how long ago, such as 2h`);
  return ms;
}

function unreadable(flag: string, text: string, expected: string) {
  return usageError(`${flag} is ${JSON.stringify(text)}; it must be ${expected}.`);
}
