import { parseTimeSpan, TIME_SPAN_EXPECTED } from '../../src/domain/filter/moment.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { asSentence } from '../../src/shared/words/causes.js';
import { printable } from '../../src/shared/words/escape.js';
import { deliverOn } from '../../src/shared/words/paused.js';
import { LONGEST_PAUSE_S, LONGEST_REASON, pauseDeliveries, SHORTEST_PAUSE_S } from '../admin/routes/pause.js';
import type { PauseAnswer } from '../admin/shapes/deeds.js';
import { pauseOf } from '../status/judgement/queue-concerns.js';
import { printJson, usageError, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { noteDeed, operatorOf } from './kit/operator.js';
import { addQueueOptions, withQueue } from './kit/options/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'paused, and every worker has confirmed it: from now on no delivery begins on any host'],
  [EXIT_FAILURE, 'paused, but not all have confirmed it within 5 s (they are named); or Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];
const MOST_POPPERS = 5;

interface PauseOptions {
  readonly for?: string;
  readonly reason?: string;
  readonly json?: true;
}

export const registerPause: RegisterCommand = (program, context) => {
  const command = program
    .command('pause')
    .description(
      'begin no delivery any more, on any host, over restarts, until "resume"; waits until every worker has confirmed it, what is in flight goes on',
    )
    .option('--for <time>', `end it by itself after this, by the clock of Redis: ${TIME_SPAN_EXPECTED}`)
    .option('--reason <text>', 'why; status, dashboard and log show it')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker pause --for 15m --reason "new main server"\n');
  addQueueOptions(command).action(async (options: PauseOptions) => {
    const forMs = spanOf(options.for);
    const { reason: why = '' } = options;
    if (why.length > LONGEST_REASON) throw usageError(`--reason may have ${LONGEST_REASON} characters at most.`);
    const answer = await withQueue(command, context, (queue) =>
      pauseDeliveries(queue, { ...operatorOf(context), why, forMs }, (act) => noteDeed(queue, context, act)),
    );
    if (options.json) printJson(context, answer);
    else report(answer, context);
    context.finish(answer.complete ? EXIT_DONE : EXIT_FAILURE);
  });
  addExitCodes(command, EXIT_CODES);
};

function spanOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  // minutes were meant more often than seconds, and deliveries would go on long before
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0)
    throw usageError(`--for is ${JSON.stringify(text)}: say ${text}s, ${text}m or ${text}h.`);
  const ms = parseTimeSpan(text);
  if (ms === undefined || ms < SHORTEST_PAUSE_S * 1_000 || ms > LONGEST_PAUSE_S * 1_000) {
    throw usageError(`--for is ${JSON.stringify(text)}; it must be ${TIME_SPAN_EXPECTED}, from 1s to 366d.`);
  }
  return ms;
}

function report(answer: PauseAnswer, context: CommandContext): void {
  const { complete, error, confirmed, processing, replaced, plain_poppers: poppers } = answer;
  if (replaced) context.print(`Before this, ${pauseOf(replaced)}; this pause takes its place.`);
  context.print(`${asSentence(pauseOf(answer))}.`);
  if (complete) {
    const who = confirmed.length === 1 ? 'The one worker has' : `All ${confirmed.length} workers have`;
    const said = confirmed.length === 0 ? 'No worker is running' : `${who} confirmed it`;
    const open = processing === 0 ? 'nothing is in flight' : `${processing} claimed messages end, or go back`;
    context.print(`${said}: no delivery begins any more, ${open}.`);
  }
  context.print('To have deliveries go on: message-broker-worker resume');
  if (poppers.length > 0) {
    const more = poppers.length > MOST_POPPERS ? ', …' : '';
    const where = poppers.slice(0, MOST_POPPERS).join(', ');
    context.printError(`Note: ${deliverOn(poppers.length, `${where}${more}`)}`);
  }
  if (error !== undefined) context.printError(`ERROR: ${printable(error, 2_000)}`);
}
