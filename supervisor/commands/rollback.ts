import type { Command } from 'commander';

import { LEASE_MS } from '../../src/domain/clocks/lease-watch.js';
import type { OperatorQueue } from '../../src/queue/operator-queue.js';
import { LeasesRunningError } from '../../src/queue/leases/leases-run.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { runDocument } from '../admin/documents/dead-letters.js';
import { sayBeingTold, sayWait } from './dead/run.js';
import { CommandError, printJson, usageError, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { createProgress } from './kit/progress.js';
import { addQueueOptions, withQueue } from './kit/options/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'done, also when there was nothing'],
  [EXIT_FAILURE, 'a worker renews its lease (--force), or Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

interface RollbackOptions {
  readonly force?: true;
  readonly withDead?: true;
  readonly toV1?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

export const registerRollback: RegisterCommand = (program, context) => {
  const command = program
    .command('rollback')
    .description('give all retries and claims back to the plain list, for Python workers; safe to repeat')
    .option('--force', 'even while workers hold leases: what they have in flight may be delivered twice')
    .option('--with-dead', 'dead letters too, their attempts counted from 0 again')
    .option('--to-v1', 'for version 1.0 in place of Python workers: only dead letters, to the list in which it looks')
    .option('--dry-run', 'only count')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nWatches for 13 s whether a worker renews its lease; none has one after a clean stop of all.\n\nExample:\n  $ message-broker-worker stop && message-broker-worker rollback\n',
    );
  addQueueOptions(command).action(async (options: RollbackOptions) => {
    if (options.toV1 && options.withDead) throw usageError('--to-v1 keeps dead letters dead; leave --with-dead away.');
    if (options.toV1) return toEarlierVersion(command, context, options);
    const result = await withQueue(command, context, (queue) =>
      options.dryRun ? count(queue, options) : run(queue, options, context),
    );
    if (options.json) return printJson(context, { schema_version: 1, dry_run: options.dryRun ?? false, ...result });
    const { claims, retries, dead, dead_left: left } = result;
    const parts = `${claims} claims, ${retries} retries and ${dead} dead letters`;
    context.print(options.dryRun ? `${parts} would go back to the queue.` : `${parts} are back on the queue.`);
    if (left > 0) context.print(`${left} dead letters stay: see "dead list", and repeat the command.`);
  });
  addExitCodes(command, EXIT_CODES);
};

/** Version 1.0 knows the claims and the retries; it buries in a list and looks for dead letters there alone. */
async function toEarlierVersion(command: Command, context: CommandContext, options: RollbackOptions): Promise<void> {
  const progress = createProgress(context.streams);
  const result = await withQueue(command, context, async ({ rollback, deadLetters }) => {
    if (!options.force && !options.dryRun) await rollback.watch(sayWatch(progress)).catch(explainLeases);
    return deadLetters.returnToList({
      filter: {},
      dryRun: options.dryRun ?? false,
      onProgress: ({ seen, total }) => progress.update(`${seen} of ${total} dead letters seen`),
      onWait: (letters, ms) => sayWait(context, letters, ms),
    });
  }).finally(() => progress.end());
  if (options.json) return printJson(context, runDocument(result, options.dryRun ?? false));
  const { done, meant, unreadable: left } = result;
  context.print(
    options.dryRun
      ? `${meant} dead letters would go to the list.`
      : `${done} dead letters are in the list of version 1.0.`,
  );
  if (left > 0) context.print(`${left} are larger than MESSAGE_MAX_BYTES and stay.`);
  sayBeingTold(context, result);
}

function explainLeases(error: unknown): never {
  if (!(error instanceof LeasesRunningError)) throw error;
  throw new CommandError(EXIT_FAILURE, `${error.message} --force goes on all the same.`, { cause: error });
}

/** A lease is over when nobody renews it: that takes its time, in which nothing else is to be seen. */
function sayWatch(progress: ReturnType<typeof createProgress>): (leftMs: number) => void {
  return (leftMs) =>
    progress.update(`watching the leases for ${LEASE_MS / 1_000} s: ${Math.ceil(leftMs / 1_000)} s to go`);
}

interface RolledBack {
  readonly claims: number;
  readonly retries: number;
  readonly dead: number;
  /** Dead letters that are no messages, or of which the main server is being told just now. */
  readonly dead_left: number;
}

async function count(queue: OperatorQueue, { withDead }: RollbackOptions): Promise<RolledBack> {
  const pending = await queue.rollback.pending();
  return { ...pending, dead: withDead ? (await queue.sizes()).dead : 0, dead_left: 0 };
}

async function run(
  queue: OperatorQueue,
  { force, withDead, json }: RollbackOptions,
  context: CommandContext,
): Promise<RolledBack> {
  const progress = createProgress(context.streams);
  try {
    const onProgress = ({ claims, retries }: { readonly claims: number; readonly retries: number }): void =>
      progress.update(`${retries} retries, ${claims} claims moved`);
    const watching = { force: force ?? false, onProgress, onWatch: sayWatch(progress) };
    const moved = await queue.rollback.run(watching).catch(explainLeases);
    if (!withDead) return { ...moved, dead: 0, dead_left: 0 };
    const replayed = await queue.deadLetters.replay({
      filter: {},
      dryRun: false,
      onWait: (letters, ms) => sayWait(context, letters, ms),
    });
    if (!json) sayBeingTold(context, replayed);
    return { ...moved, dead: replayed.done, dead_left: replayed.meant - replayed.done };
  } finally {
    progress.end();
  }
}
