import { readLetterLine, type ReadLetter } from '../../../src/domain/dead-letters/letter-line.js';
import type { DeadLetters } from '../../../src/queue/dead-letters/dead-letters.js';
import { EXIT_FAILURE } from '../../../src/shared/errors.js';
import { Batches } from '../kit/batches.js';
import { checkLines, valuesIn, type Wanted } from '../kit/checked-lines.js';
import { printJson, usageError, type CommandContext, type RegisterCommand } from '../kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from '../kit/exit-codes.js';
import { noteDeed } from '../kit/operator.js';
import { lineSource, type LineSource } from '../kit/lines.js';
import { createProgress } from '../kit/progress.js';
import { addQueueOptions, withQueue } from '../kit/options/queue-options.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'all are among the dead letters, those that were there before too'],
  [EXIT_FAILURE, 'a line is no dead letter, or Redis cannot be reached; the command can be repeated'],
  ...QUEUE_EXIT_CODES,
];

const LETTER_LINES: Wanted<ReadLetter> = { noun: 'exported dead letter', done: 'imported', read: readLetterLine };
const WORDS = { one: 'dead letter', many: 'dead letters', done: 'imported' };

interface ImportOptions {
  readonly dryRun?: true;
  readonly json?: true;
}

export const registerImport: RegisterCommand = (dead, context) => {
  const command = dead
    .command('import')
    .argument(
      '<file>',
      'what "dead export" wrote: all lines are checked before the first is taken; - = stdin, unchecked',
    )
    .description('take exported ones back, each under its key; what is there already stays as it is')
    .option('--dry-run', 'only check the lines')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
They are dead, as before: nothing is delivered, and the main server is told nothing. "dead replay" delivers them.

Example:
  $ message-broker-worker dead import letters.jsonl
`,
    );
  addQueueOptions(command).action(async (file: string, options: ImportOptions) => {
    const source = await lineSource(file, context);
    if (options.dryRun && !source.isRepeatable)
      throw usageError('--dry-run needs a file: a pipe can be read only once.');
    const progress = createProgress(context.streams);
    let lines = 0;
    try {
      await checkLines(source, LETTER_LINES, (checked) => progress.update(`${(lines = checked)} lines checked`));
      if (options.dryRun) return report(context, options, { lines, imported: 0 });
      const taken = await withQueue(command, context, async (queue) => {
        // it may be killed midway
        await noteDeed(queue, context, { action: 'import', detail: 'begins' });
        const came: Taken = { lines: 0, imported: 0 };
        try {
          await takeAll(source, queue.deadLetters, came, progress);
        } finally {
          await noteDeed(queue, context, { action: 'import', count: came.imported });
        }
        return came;
      });
      report(context, options, taken);
    } finally {
      progress.end();
    }
  });
  addExitCodes(command, EXIT_CODES);
};

interface Taken {
  lines: number;
  /** Those that were not there before. */
  imported: number;
}

async function takeAll(
  source: LineSource,
  deadLetters: Pick<DeadLetters, 'import'>,
  taken: Taken,
  progress: Pick<ReturnType<typeof createProgress>, 'update'>,
): Promise<void> {
  const take = async (letters: readonly ReadLetter[]): Promise<void> => {
    taken.imported += await deadLetters.import(letters);
    taken.lines += letters.length;
    progress.update(`${taken.lines} lines taken, ${taken.imported} letters imported`);
  };
  const bytesOf = ({ stored }: ReadLetter): number => stored.length;
  await new Batches({ take, bytesOf, words: WORDS }).takeAll(valuesIn(source, LETTER_LINES));
}

function report(context: CommandContext, { dryRun, json }: ImportOptions, { lines, imported }: Taken): void {
  if (json) return printJson(context, { schema_version: 1, dry_run: dryRun ?? false, lines, imported });
  if (dryRun) return context.print(`${lines} dead letters could be imported.`);
  const present = lines - imported;
  context.print(`${imported} dead letters imported${present > 0 ? `, ${present} were there already` : ''}.`);
}
