import type { AuditEntry } from '../../src/domain/audit/deed.js';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { printable } from '../../src/shared/words/escape.js';
import { auditDocument } from '../admin/routes/audit.js';
import { printJson, usageError, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, QUEUE_EXIT_CODES, type ExitCode } from './kit/exit-codes.js';
import { addQueueOptions, withQueue } from './kit/options/queue-options.js';
import { table } from './kit/text-table.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'shown, also when nobody has done anything'],
  [EXIT_FAILURE, 'Redis cannot be reached'],
  ...QUEUE_EXIT_CODES,
];
const HEADINGS = ['AT', 'ACTION', 'WHO', 'WHERE', 'COUNT', 'WHAT'];
const LEFT_ALIGNED = new Set([0, 1, 2, 3, 5]);

interface AuditOptions {
  readonly limit: string;
  readonly json?: true;
}

export const registerAudit: RegisterCommand = (program, context) => {
  const command = program
    .command('audit')
    .description('show who did what to the queue and to its supervisors, on any host, the newest first')
    .option('--limit <count>', 'how many', '50')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker audit --limit 10\n');
  addQueueOptions(command).action(async ({ limit, json }: AuditOptions) => {
    if (!/^[1-9]\d{0,4}$/.test(limit)) throw usageError('--limit must be a whole number from 1 to 99999.');
    const entries = await withQueue(command, context, ({ audit }) => audit.list(Number(limit)));
    if (json) return printJson(context, auditDocument(entries));
    if (entries.length === 0) return context.print('Nobody has done anything yet.');
    for (const line of table([HEADINGS, ...entries.map(row)], LEFT_ALIGNED)) context.print(line);
  });
  addExitCodes(command, EXIT_CODES);
};

function row(entry: AuditEntry): string[] {
  const { at } = auditDocument([entry]).entries[0] ?? {};
  const { action, who, where, count, filter, detail } = entry;
  const what = [detail, filter].filter((text) => text !== undefined).join(' ');
  return [
    at?.replace(/\.\d+Z$/, 'Z') ?? '-',
    printable(action, 20),
    printable(who, 60),
    printable(where, 60),
    count === undefined ? '-' : String(count),
    printable(what === '' ? '-' : what, 200),
  ];
}
