import { PLACES, type MessageFilter } from '../../../src/domain/filter/message-filter.js';
import type { MessageProgress } from '../../../src/queue/messages/listing.js';
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { harmlessJson } from '../../../src/shared/words/escape.js';
import { seenSummary, withClaims, type AskClaims } from '../../admin/documents/claims.js';
import { messageList } from '../../admin/documents/messages.js';
import type { MessageSummary } from '../../admin/protocol.js';
import { claimSight } from '../kit/claim-sight.js';
import { printJson, usageError, type CommandContext, type RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { addFilterOptions, filterOf, type FilterOptions } from '../kit/options/filter-options.js';
import { createProgress } from '../kit/progress.js';
import { addQueueOptions, withQueue } from '../kit/options/queue-options.js';
import { followMessages } from './follow.js';
import { followedLine, messageTable, placeWord } from './text.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'listed, also when there are none'],
  [EXIT_FAILURE, 'Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];

interface ListOptions extends FilterOptions {
  readonly limit: string;
  readonly after?: string;
  readonly follow?: true;
  readonly json?: true;
}

export const registerMessageList: RegisterCommand = (message, context) => {
  const command = message
    .command('list')
    .description(
      'list them: claimed ones, then retries from the one due first, waiting ones and dead letters from the newest',
    )
    .option('--limit <count>', 'how many', '50')
    .option('--after <cursor>', 'go on behind a page: "next" of --json')
    .option('--follow', 'go on until Ctrl-C, and each second print those that have come or moved')
    .option('--json', 'print them as JSON; with --follow one on each line')
    .addHelpText(
      'after',
      '\nExamples:\n  $ message-broker-worker message list --in retry --due-within 10s\n  $ message-broker-worker message list --client client-7 --reason http_503\n',
    );
  addFilterOptions(command, PLACES);
  addQueueOptions(command).action(async (options: ListOptions) => {
    const query = queryOf(options);
    const claims = claimSight(command, context);
    if (options.follow) {
      if (options.after !== undefined) throw usageError('--follow and --after exclude each other.');
      return withQueue(command, context, (queue) =>
        followMessages(queue, { ...query, claims }, printerOf(options, context)),
      );
    }
    await withQueue(command, context, (queue) => listOnce(queue, { ...query, claims }, options, context));
  });
  addExitCodes(command, EXIT_CODES);
};

interface Query {
  readonly filter: MessageFilter;
  readonly limit: number;
  readonly after?: string;
}

function queryOf(options: ListOptions): Query {
  const { limit, after } = options;
  if (!/^[1-9]\d{0,6}$/.test(limit)) throw usageError('--limit must be a whole number from 1 to 9999999.');
  return { filter: filterOf(options), limit: Number(limit), ...(after === undefined ? {} : { after }) };
}

async function listOnce(
  queue: OperatorQueue,
  { claims, ...query }: Query & { readonly claims: AskClaims },
  { json }: ListOptions,
  context: CommandContext,
): Promise<void> {
  const progress = createProgress(context.streams);
  const onProgress = ({ place, looked, total, found }: MessageProgress): void =>
    progress.update(`${placeWord(place)}: looked at ${looked} of ${total}, ${found} found`);
  const seen = await queue.messages.list({ ...query, onProgress }, seenSummary).finally(() => progress.end());
  const page = { ...seen, entries: await withClaims(seen.entries, claims) };
  const document = messageList(page, await queue.sizes(), query.filter.places);
  if (json) return printJson(context, document);
  if (page.entries.length === 0) return context.print(document.total === 0 ? 'There are none.' : 'None matches.');
  for (const line of messageTable(page.entries, systemClock.wallNow())) context.print(line);
  const more = page.next === undefined ? '' : '; there may be more (--limit)';
  context.print(`${page.entries.length} shown of ${document.total} in all${more}`);
}

function printerOf({ json }: ListOptions, context: CommandContext) {
  return (message: MessageSummary): void =>
    context.print(json ? harmlessJson(JSON.stringify(message)) : followedLine(message, systemClock.wallNow()));
}
