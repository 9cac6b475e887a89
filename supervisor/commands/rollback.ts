import type { OperatorQueue } from '../../src/queue/operator-queue.js';
import { LeasesRunningError } from '../../src/queue/rollback.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { CommandError, printJson, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { createProgress } from './kit/progress.js';
import { addQueueOptions, withQueue } from './kit/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'done, also when there was nothing'],
  [EXIT_FAILURE, 'a worker holds a lease (--force), or Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

interface RollbackOptions {
  readonly force?: true;
  readonly withDead?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

export const registerRollback: RegisterCommand = (program, context) => {
  const command = program
    .command('rollback')
    .description('give all retries and claims back to the plain list, for Python workers; safe to repeat')
    .option('--force', 'even while workers hold leases: what they have in flight may be delivered twice')
    .option('--with-dead', 'dead letters too, their attempts counted from 0 again')
    .option('--dry-run', 'only count')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker stop && message-broker-worker rollback\n');
  addQueueOptions(command).action(async (options: RollbackOptions) => {
    const result = await withQueue(command, context, (queue) =>
      options.dryRun ? count(queue, options) : run(queue, options, context),
    );
    if (options.json) return printJson(context, { dry_run: options.dryRun ?? false, ...result });
    const { claims, retries, dead } = result;
    const parts = `${claims} claims, ${retries} retries and ${dead} dead letters`;
    context.print(options.dryRun ? `${parts} would go back to the queue.` : `${parts} are back on the queue.`);
  });
  addExitCodes(command, EXIT_CODES);
};

interface RolledBack {
  readonly claims: number;
  readonly retries: number;
  readonly dead: number;
}

async function count(queue: OperatorQueue, { withDead }: RollbackOptions): Promise<RolledBack> {
  const pending = await queue.rollback.pending();
  return { ...pending, dead: withDead ? (await queue.sizes()).dead : 0 };
}

async function run(
  queue: OperatorQueue,
  { force, withDead }: RollbackOptions,
  context: CommandContext,
): Promise<RolledBack> {
  const progress = createProgress(context.streams);
  try {
    const onProgress = ({ claims, retries }: { readonly claims: number; readonly retries: number }): void =>
      progress.update(`${retries} retries, ${claims} claims moved`);
    const moved = await queue.rollback.run({ force: force ?? false, onProgress });
    const dead = withDead ? (await queue.deadLetters.replay({ filter: {}, dryRun: false })).done : 0;
    return { ...moved, dead };
  } catch (error) {
    if (!(error instanceof LeasesRunningError)) throw error;
    throw new CommandError(EXIT_FAILURE, `${error.message} --force goes on all the same.`, { cause: error });
  } finally {
    progress.end();
  }
}
