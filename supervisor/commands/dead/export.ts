import type { Buffer } from 'node:buffer';

import { letterLine } from '../../../src/domain/dead-letters/letter-line.js';
import type { DeadLetters } from '../../../src/queue/dead-letters/dead-letters.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { printJson, usageError, type CommandContext, type RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { addFilterOptions, filterOf, type FilterOptions } from '../kit/options/filter-options.js';
import { writeFile, writeStream } from '../kit/output.js';
import { createProgress } from '../kit/progress.js';
import { addQueueOptions, withQueue } from '../kit/options/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'exported, also when none matched'],
  [
    EXIT_FAILURE,
    'the file is there already or cannot be written, or Redis cannot be reached; there is no half of a file',
  ],
  ...QUEUE_EXIT_CODES,
];

interface ExportOptions extends FilterOptions {
  readonly file?: string;
  readonly force?: true;
  readonly json?: true;
}

export const registerExport: RegisterCommand = (dead, context) => {
  const command = dead
    .command('export')
    .description('write them as JSON lines, whole, with their messages; "dead import" takes them back')
    .option('--file <file>', 'into this file, which only you may read; without it to stdout')
    .option('--force', 'replace the file')
    .option('--json', 'with --file: print the result as JSON')
    .addHelpText(
      'after',
      `
They stay where they are. The file holds what the messages say: keep it as you would keep them.

Examples:
  $ message-broker-worker dead export --older-than 30d --file letters.jsonl
  $ message-broker-worker dead export --reason malformed | jq -r .error
`,
    );
  addFilterOptions(command, ['dead']);
  addQueueOptions(command).action(async (options: ExportOptions) => {
    const { file, force = false } = options;
    if (file === undefined && (force || options.json)) throw usageError('--force and --json go with --file.');
    const filter = filterOf(options);
    const progress = createProgress(context.streams);
    const tally = { count: 0 };
    await withQueue(command, context, async ({ deadLetters }) => {
      const onProgress = ({ seen, total }: { readonly seen: number; readonly total: number }): void =>
        progress.update(`${seen} of ${total} seen, ${tally.count} exported`);
      const lines = linesOf(deadLetters.exported({ filter, onProgress }), tally);
      if (file === undefined) await writeStream(context.streams.stdout, lines);
      else await writeFile({ file, force }, context, lines);
    }).finally(() => progress.end());
    if (file !== undefined) report(context, { ...options, file }, tally.count);
  });
  addExitCodes(command, EXIT_CODES);
};

async function* linesOf(
  letters: ReturnType<DeadLetters['exported']>,
  tally: { count: number },
): AsyncGenerator<Buffer> {
  for await (const letter of letters) {
    yield* letterLine(letter);
    tally.count += 1;
  }
}

function report(
  context: CommandContext,
  { file, json }: { readonly file: string; readonly json?: true },
  count: number,
) {
  if (json) printJson(context, { schema_version: 1, file, exported: count });
  else context.print(`${count} dead ${count === 1 ? 'letter' : 'letters'} exported to ${file}.`);
}
