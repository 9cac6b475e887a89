/** The flags of `check --capacity`, and the command. What measures is loaded when it is needed: it loads ioredis, got and undici. */
import type { Command } from 'commander';

import { printable } from '../../../src/shared/words/escape.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import type { Config } from '../../../src/shared/config/config.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { printJson, usageError, type CommandContext } from '../kit/command.js';
import { EXIT_DONE } from '../kit/exit-codes.js';
import type { Located } from '../kit/instance/load-located.js';
import { createProgress } from '../kit/progress.js';
import {
  DEFAULT_SECONDS,
  MOST_PARALLEL,
  MOST_REQUESTS,
  MOST_ROUND_TRIPS,
  MOST_SECONDS,
  MOST_UNASKED,
  ORIGINAL_BEARS,
} from '../../capacity/limits.js';

export interface CapacityFlags {
  readonly capacity?: true;
  readonly endpoint?: string;
  readonly target?: string;
  readonly seconds?: string;
  readonly atOnce?: string;
  readonly json?: true;
}

const HELP = `
--capacity measures in place of checking, and delivers nothing: it sends GET requests of the health endpoint, or of
--endpoint, to the main server over connections as deliveries use them. It sends at most ${MOST_REQUESTS}, at most ${MOST_UNASKED} at once (fewer
beside running workers, more only with --at-once), and stops as soon as requests take three times as long as one alone,
more at once bring no more, or the main server answers 429 or 5xx or not at all. Redis is asked for the length of the queue,
at most ${MOST_ROUND_TRIPS} times. Nothing is enqueued or claimed. It ends with 1 when something could not be measured or was not answered, or
when the settings do not give the --target. The original main server stands still for 30 s at each request beyond ${ORIGINAL_BEARS} at
once, from whomever they come: --at-once beyond that is for others.

Examples:
  $ message-broker-worker check --capacity
  $ message-broker-worker check --capacity --target 100000/day
  $ message-broker-worker check --capacity --target 50 --concurrency 8 --json
`;

export function addCapacityOptions(command: Command): Command {
  return command
    .option('--capacity', 'measure Redis and the main server, and say what the settings give and what to set')
    .option('--target <rate>', 'with --capacity: messages per second, as in 50, or per day, as in 100000/day')
    .option('--endpoint <path>', 'with --capacity: a path of the main server to GET in place of the health endpoint')
    .option(
      '--seconds <seconds>',
      `with --capacity: how long to measure, ${MOST_SECONDS} at most (default ${DEFAULT_SECONDS})`,
    )
    .option(
      '--at-once <n>',
      `with --capacity: ask up to so many at once, ${MOST_PARALLEL} at most (default ${MOST_UNASKED}, fewer beside running workers)`,
    )
    .addHelpText('after', HELP);
}

/** @throws CommandError when flags are given that mean nothing without --capacity */
export function refuseCapacityFlags({ target, endpoint, seconds, atOnce }: CapacityFlags): void {
  if ([target, endpoint, seconds, atOnce].some((flag) => flag !== undefined)) {
    throw usageError('--target, --endpoint, --seconds and --at-once go with --capacity.');
  }
}

/** @throws CommandError */
export async function checkCapacity(
  { loaded: { config }, address }: Pick<Located, 'loaded' | 'address'>,
  flags: CapacityFlags,
  context: CommandContext,
): Promise<void> {
  const given = {
    endpoint: endpointOf(flags.endpoint, config),
    target: flags.target === undefined ? undefined : parseTarget(flags.target),
    seconds: wholeNumber('--seconds', flags.seconds ?? String(DEFAULT_SECONDS), MOST_SECONDS),
    atOnce: flags.atOnce === undefined ? undefined : wholeNumber('--at-once', flags.atOnce, MOST_PARALLEL),
  };
  const [{ planCapacity }, { capacityDocument, capacityLines, isEnough }, { createControlClient }] = await Promise.all([
    import('../../capacity/plan.js'),
    import('./capacity-report.js'),
    import('../../admin/client.js'),
  ]);
  const progress = createProgress(context.streams);
  const client = createControlClient(address);
  const onProgress = (text: string) => progress.update(text);
  const report = await planCapacity({ config, clock: systemClock, client, ...given, onProgress }).finally(() => {
    progress.end();
    client.close();
  });
  if (flags.json) printJson(context, capacityDocument(report));
  else for (const line of capacityLines(report)) context.print(printable(line, 1_000));
  context.finish(isEnough(report) ? EXIT_DONE : EXIT_FAILURE);
}

const TARGET = /^(\d{1,12}(?:\.\d{1,6})?)(?:\/(second|minute|hour|day))?$/;
const SECONDS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3_600, day: 86_400 };

/** `50`, `50/second`, `3000/minute`, `100000/day` as messages per second. @throws CommandError */
export function parseTarget(text: string): number {
  const [, count, unit = 'second'] = TARGET.exec(text) ?? [];
  const target = Number(count) / (SECONDS[unit] ?? NaN);
  if (target > 0) return target;
  throw usageError(
    `--target is ${JSON.stringify(text)}; give messages per second, as in 50, or per day, as in 100000/day.`,
  );
}

function endpointOf(text: string | undefined, { mainServer }: Config): string {
  if (text === undefined) return mainServer.healthEndpoint;
  if (!/^\/[\x21-\x7e]*$/.test(text) || text.includes('#')) {
    throw usageError(`--endpoint is ${JSON.stringify(text)}; it must be a path of the main server, as in /health.`);
  }
  if (text.split('?', 1)[0] === mainServer.deliverEndpoint) {
    throw usageError('--endpoint is the delivery endpoint, which is not asked here; name one that delivers nothing.');
  }
  return text;
}

function wholeNumber(flag: string, text: string, most: number): number {
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw usageError(`${flag} is ${JSON.stringify(text)}; it must be a whole number from 1 to ${most}.`);
}
