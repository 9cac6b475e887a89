/**
 * Shows the worker at work on a machine with nothing but Node: a private Redis, a main server for development, the
 * supervisor, and messages of which some fail at first. Run by scripts/tasks/run.mjs, which builds it.
 *
 * Exit codes: 0 done, 1 failure or a message missing, 2 wrong usage.
 */
import { randomUUID } from 'node:crypto';
import { isAbsolute, join, relative } from 'node:path';
import { BrokerError, EXIT_FAILURE } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { accountLines, accountOf, failedAttempts, type Account } from './account.js';
import { InterruptedError, listenForInterrupt, type Interrupt } from './interrupt.js';
import { parseCommandLine, type QuickstartOptions } from './options.js';
import { count, createProgress, type Progress } from './progress.js';
import { Closers, RETRY_INTERVAL_S, startStack, type Stack } from './stack.js';

const LOOK_EVERY_MS = 200;
const EXIT_USAGE = 2;

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
}

async function quickstart(options: QuickstartOptions): Promise<number> {
  const interrupt = listenForInterrupt();
  const closers = new Closers();
  const run: Run = { options, interrupt };
  let exitCode = 0;
  const fail = (error: unknown) => {
    if (error instanceof InterruptedError && !options.exit) return;
    exitCode = EXIT_FAILURE;
    if (!(error instanceof InterruptedError)) console.error(error instanceof BrokerError ? error.message : error);
  };
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
  const surroundings = { env: process.env, cwd: process.cwd(), announce: console.log, signal: interrupt.signal };
  console.log('Starting Redis, the main server and the supervisor …');
  const stack = await startStack(options, surroundings, closers);
  run.stack = stack;
  interrupt.onRepeat = () => stack.supervisor.hurry();
  for (const line of welcome(stack, options)) console.log(line);

  const ids = Array.from({ length: options.messages }, () => randomUUID());
  const startedAt = performance.now();
  run.account = () => accountOf(stack.server.ledger, ids, startedAt);
  const progress = createProgress(process.stdout);
  await stack.queue.enqueue(ids.map(messageText));
  await watch(run, stack, { ids, startedAt, progress });
  if (options.exit) return;
  progress.release();
  console.log();
  reportAccount(run);
  console.log(`\nIt goes on until Ctrl-C. Send a message yourself:\n  ${stack.queue.sendCommand}\n`);
  await watch(run, stack, { ids: undefined, startedAt, progress });
}

interface Watched {
  /** Undefined = watch until the end. */
  readonly ids: readonly string[] | undefined;
  readonly startedAt: number;
  readonly progress: Progress;
}

/** Shows the progress until every id is answered with 200 and Redis holds nothing more. */
async function watch({ options, interrupt }: Run, stack: Stack, { ids, startedAt, progress }: Watched): Promise<void> {
  const { ledger } = stack.server;
  const deadlineMs = deadlineOf(options);
  for (;;) {
    const sizes = await stack.queue.sizes();
    const elapsedMs = performance.now() - startedAt;
    const { messages: enqueued } = options;
    const sight = {
      elapsedMs,
      delivered: ledger.delivered.size,
      enqueued,
      failedAttempts: failedAttempts(ledger),
      sizes,
    };
    const rest = sizes && sizes.waiting + sizes.processing + sizes.retrying;
    const done = rest === 0 && ids?.every((id) => ledger.delivered.has(id)) === true;
    progress.show(sight, done);
    if (done) return;
    stack.supervisor.check();
    if (options.exit && elapsedMs > deadlineMs) throw new LateError(deadlineMs);
    interrupt.signal.throwIfAborted();
    await systemClock.sleep(LOOK_EVERY_MS, interrupt.signal);
  }
}

class LateError extends BrokerError {
  constructor(deadlineMs: number) {
    super('E_LATE', `Not everything was delivered within ${Math.round(deadlineMs / 1_000)} s.`);
  }
}

/**
 * A minute, the messages at 50/s, and as many rounds of retries as leave one message in a million runs behind: of m
 * messages m * f^n fail n times in a row.
 */
function deadlineOf({ messages, failRate }: QuickstartOptions): number {
  const rounds = failRate > 0 ? Math.ceil(Math.log(1e-6 / messages) / Math.log(failRate)) : 0;
  return 60_000 + messages * 20 + rounds * RETRY_INTERVAL_S * 1_000;
}

/** As the producer writes it. */
function messageText(id: string, index: number): string {
  const queued_at = new Date().toISOString();
  return JSON.stringify({ message_id: id, message_body: `Message ${index + 1}`, queued_at, attempt_count: 0 });
}

/** False when a message is missing, or nothing was enqueued at all. */
function reportAccount({ account }: Run): boolean {
  const found = account?.();
  for (const text of found ? accountLines(found) : []) console.log(text);
  return found?.missing.length === 0;
}

function welcome({ config, folder, redisText, server, readyMs }: Stack, options: QuickstartOptions): string[] {
  const { metrics, supervisor } = config;
  const ports = Array.from({ length: options.workers }, (_, index) => metrics.port + index);
  const share = Math.round(options.failRate * 1_000) / 10;
  return [
    `${options.workers} ${options.workers === 1 ? 'worker' : 'workers'} ready in ${(readyMs / 1_000).toFixed(1)} s`,
    `  Redis          ${redisText}`,
    `  main server    ${server.url} (mutual TLS; fails ${share} % of the deliveries)`,
    `  dashboard      http://127.0.0.1:${supervisor.port}/`,
    `  status         http://127.0.0.1:${supervisor.port}/status`,
    ...ports.map((port, index) => `  metrics        http://127.0.0.1:${port}/metrics (worker-${index + 1})`),
    `  log            ${shownPath(join(folder.logs, config.logging.fileName))}`,
    '',
    `${count(options.messages)} messages; a failed delivery is repeated after ${RETRY_INTERVAL_S} s (the default is 30 s)`,
  ];
}

function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}

process.exitCode = await main(process.argv.slice(2));
