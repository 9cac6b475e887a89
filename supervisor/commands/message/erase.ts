import { createHash } from 'node:crypto';

import type { Erasure } from '../../../src/queue/actions/message-actions.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { printable } from '../../../src/shared/words/escape.js';
import { confirm, type BulkOptions } from '../kit/bulk.js';
import { CommandError, printJson, type RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { noteDeed } from '../kit/operator.js';
import { addQueueOptions, withQueue } from '../kit/options/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'nothing of it is left in Redis, also when nothing was there'],
  [EXIT_FAILURE, 'a worker has it, the main server is being told of it, or Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

type EraseOptions = Pick<BulkOptions, 'yes' | 'json'>;

export const registerMessageErase: RegisterCommand = (message, context) => {
  const command = message
    .command('erase')
    .argument('<id>', 'its message_id')
    .description('delete a message for good: every copy, its dead letters, and what is kept of its failed attempts')
    .option('--yes', 'do not ask, for scripts')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
The main server is not told. The log files of the last days name the id, and so does the audit where somebody retried or
cancelled the message by it; neither holds anything else of the message. The erasure itself stands there without the id.

Example:
  $ message-broker-worker message erase 7d0f2a64-5a1b-4c55-9a39-0f5b6c1e2d3f
`,
    );
  addQueueOptions(command).action(async (id: string, options: EraseOptions) => {
    const name = printable(id, 255);
    const question = (): string => `Message ${name} would be deleted for good, with all that is kept of it. Go on?`;
    if (!(await confirm(context, options, async () => 1, question))) return;
    const erasure = await withQueue(command, context, async (queue) => {
      const result = await queue.actions.erase(id);
      // not the id: that would be kept of it
      const detail = `message with the SHA-256 ${createHash('sha256').update(id).digest('hex').slice(0, 16)}...`;
      await noteDeed(queue, context, { action: 'erase', count: result.living + result.letters, detail });
      return result;
    });
    if (options.json) printJson(context, documentOf(id, erasure));
    else context.print(saidOf(name, erasure));
    const problem = problemOf(name, erasure);
    if (problem !== undefined) throw new CommandError(EXIT_FAILURE, problem);
  });
  addExitCodes(command, EXIT_CODES);
};

function saidOf(name: string, { living, letters, isClaimed, againInMs }: Erasure): string {
  if (living + letters > 0 || isClaimed || againInMs > 0) {
    return `${living} copies and ${letters} dead letters of message ${name} are deleted.`;
  }
  return `There was no copy and no dead letter of message ${name}; what was kept of its attempts is deleted.`;
}

function problemOf(name: string, { isClaimed, againInMs }: Erasure): string | undefined {
  if (isClaimed) return `A worker has message ${name} and decides what becomes of it: repeat the command in a moment.`;
  if (againInMs === 0) return undefined;
  const seconds = Math.ceil(againInMs / 1_000);
  return `The main server is being told that message ${name} has failed: repeat the command in ${seconds} s.`;
}

function documentOf(id: string, { living, letters, isClaimed, againInMs }: Erasure) {
  return {
    schema_version: 1,
    message_id: id,
    copies_deleted: living,
    letters_deleted: letters,
    claimed: isClaimed,
    again_in_seconds: Math.ceil(againInMs / 1_000),
  };
}
