import type { MessageProgress } from '../../../src/queue/messages/listing.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { printable } from '../../../src/shared/words/escape.js';
import { detailsWithClaims } from '../../admin/documents/claims.js';
import type { MessageDetails } from '../../admin/protocol.js';
import { claimSight } from '../kit/claim-sight.js';
import { printJson, type CommandContext, type RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { createProgress } from '../kit/progress.js';
import { addQueueOptions, withQueue } from '../kit/options/queue-options.js';
import { linesInLog } from './log-lines.js';
import { messageLines, placeWord } from './text.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'shown'],
  [EXIT_FAILURE, 'it is nowhere in Redis, or Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

export const registerMessageShow: RegisterCommand = (message, context) => {
  const command = message
    .command('show')
    .argument('<id>', 'its message_id')
    .description(
      'show where a message is and what happened to it; of one that is nowhere, what the log of this host says',
    )
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker message show 7d0f2a64-5a1b-4c55-9a39-0f5b6c1e2d3f\n');
  addQueueOptions(command).action(async (id: string, { json }: { json?: true }) => {
    const progress = createProgress(context.streams);
    const onProgress = ({ place, looked, total }: MessageProgress): void =>
      progress.update(`${placeWord(place)}: looked at ${looked} of ${total}`);
    const { details, log } = await withQueue(command, context, async ({ messages }, { logging }) => {
      const copies = await messages.find(id, { onProgress });
      const logged = copies.length === 0 ? await linesInLog(logging, id) : [];
      return { details: await detailsWithClaims(id, copies, Infinity, claimSight(command, context)), log: logged };
    }).finally(() => progress.end());
    const isNowhere = details.places.length === 0;
    if (json) printJson(context, isNowhere ? { ...details, log } : details);
    else print(details, log, context);
    if (isNowhere) context.finish(EXIT_FAILURE);
  });
  addExitCodes(command, EXIT_CODES);
};

function print(details: MessageDetails, log: readonly string[], context: CommandContext): void {
  for (const line of messageLines(details, systemClock.wallNow())) context.print(line);
  if (details.places.length > 0) return;
  const id = printable(details.message_id, 255);
  context.print(`${id} is not in Redis: delivered, removed by somebody, held by a Python worker, or never seen.`);
  if (log.length === 0) return context.print('The log of this host does not name it.');
  context.print('The log of this host says last:');
  for (const line of log) context.print(`  ${printable(line, 1_000)}`);
}
