/**
 * Shows the worker at work on a machine with nothing but Node: a private Redis, a main server for development, the
 * supervisor, and messages of which some fail at first. Run by scripts/tasks/run.mjs, which builds it.
 *
 * Exit codes: 0 done, 1 failure or a message missing, 2 wrong usage.
 */
import { randomUUID } from 'node:crypto';
import { BrokerError, EXIT_FAILURE } from '../../src/shared/errors.js';
import { Closers } from '../local/closers.js';
import { EXIT_USAGE } from '../local/command-line.js';
import { accountLines, accountOf, type Account } from './account.js';
import { Interrupt, InterruptedError } from './interrupt.js';
import { parseCommandLine, type QuickstartOptions } from './options.js';
import { limitLine } from './limits.js';
import { createProgress } from './progress.js';
import { startStack, type Stack } from './stack.js';
import { deadlineOf, watch } from './watch.js';
import { shownPath, welcome } from './welcome.js';

async function main(argv: readonly string[]): Promise<number> {
  // A terminal that is gone (`| head`, a closed window) must not end us before our children.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const line = parseCommandLine(argv);
  if (line.kind === 'help') return 0;
  if (line.kind === 'run') return quickstart(line.options);
  console.error(line.sentence);
  return EXIT_USAGE;
}

/** What becomes known on the way, for the last words. */
interface Run {
  readonly options: QuickstartOptions;
  readonly interrupt: Interrupt;
  stack?: Stack;
  /** Set once everything is enqueued. */
  account?: () => Account;
  /** Set once everything is delivered. */
  limits?: string;
}

async function quickstart(options: QuickstartOptions): Promise<number> {
  const interrupt = new Interrupt();
  const closers = new Closers();
  const run: Run = { options, interrupt };
  let exitCode = 0;
  const fail = (error: unknown) => {
    if (error instanceof InterruptedError && !options.exit) return;
    exitCode = EXIT_FAILURE;
    if (!(error instanceof InterruptedError)) console.error(error instanceof BrokerError ? error.message : error);
  };
  interrupt.listen();
  await demonstrate(run, closers).catch(fail);
  if (interrupt.signal.aborted) console.log('\nStopping; the workers finish what they hold …');
  await closers.close().catch(fail);
  if (options.exit && !reportAccount(run)) exitCode = EXIT_FAILURE;
  console.log(`Nothing is left running.${run.stack ? ` The logs are in ${shownPath(run.stack.folder.logs)}` : ''}`);
  interrupt.close();
  return exitCode;
}

/** Resolves when all is delivered and `--exit` was given; otherwise rejects: interrupted, late, or something ended. */
async function demonstrate(run: Run, closers: Closers): Promise<void> {
  const { options, interrupt } = run;
  const { signal } = interrupt;
  console.log('Starting Redis, the main server and the supervisor …');
  const surroundings = { env: process.env, cwd: process.cwd(), announce: console.log, signal };
  const stack = await startStack(options, surroundings, closers);
  run.stack = stack;
  interrupt.onRepeat(() => stack.supervisor.hurry());
  for (const line of welcome(stack, options)) console.log(line);

  const ids = Array.from({ length: options.messages }, () => randomUUID());
  const startedAt = performance.now();
  run.account = () => accountOf(stack.server, ids, startedAt);
  for (const id of ids) stack.server.enqueued(id);
  await stack.queue.enqueue(ids.map(messageText));
  const watched = { enqueued: ids.length, startedAt, progress: createProgress(process.stdout), signal };
  await watch(stack, { ...watched, ids, deadlineMs: options.exit ? deadlineOf(options) : undefined });
  const status = await stack.supervisor.status();
  if (status) run.limits = limitLine(status);
  if (options.exit) return;
  watched.progress.release();
  console.log();
  reportAccount(run);
  console.log(`\nIt goes on until Ctrl-C. Send a message yourself:\n  ${stack.queue.sendCommand}\n`);
  await watch(stack, { ...watched, ids: undefined, deadlineMs: undefined });
}

/** As the producer writes it. */
function messageText(id: string, index: number): string {
  const queued_at = new Date().toISOString();
  return JSON.stringify({ message_id: id, message_body: `Message ${index + 1}`, queued_at, attempt_count: 0 });
}

/** False when a message is missing, or nothing was enqueued at all. */
function reportAccount({ account, limits }: Run): boolean {
  const found = account?.();
  for (const text of found ? accountLines(found) : []) console.log(text);
  if (limits !== undefined) console.log(limits);
  return found?.missing.length === 0;
}

process.exitCode = await main(process.argv.slice(2));
