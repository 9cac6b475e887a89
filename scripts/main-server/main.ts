/**
 * The main server for development as a program: node dist/scripts/main-server/main.js --help
 *
 * Exit codes: 0 ended by a signal, 1 it cannot listen or read its certificates, 2 wrong usage.
 */
import { readFileSync } from 'node:fs';
import { EXIT_FAILURE } from '../../src/shared/errors.js';
import { EXIT_USAGE } from '../local/command-line.js';
import { parseCommandLine, type Manners, type ProgramOptions } from './options.js';
import { startMainServer, type DevMainServer } from './server.js';

async function main(argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(argv);
  if (line.kind === 'help') return 0;
  if (line.kind === 'wrong') {
    console.error(line.sentence);
    return EXIT_USAGE;
  }
  try {
    await serve(line.options);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return EXIT_FAILURE;
  }
}

/** Resolves when it listens; a signal ends it. */
async function serve({ port, host, tls, post, manners }: ProgramOptions): Promise<void> {
  const pem = (path: string) => readFileSync(path, 'utf8');
  const server = await startMainServer({
    port,
    host,
    records: post.failFirst > 0, // which deliveries were the first is on record only
    ...(tls && { tls: { cert: pem(tls.cert), key: pem(tls.key), ca: pem(tls.ca) } }),
  });
  Object.assign(server.faults.post, post);
  Object.assign(server.faults, manners);
  server.onFreeze = (inFlight) => console.log(frozenLine(inFlight, manners));
  console.log(`Main server for development listens on ${server.url}`);
  const end = () => {
    console.log(accountLine(server));
    void server.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
}

function frozenLine(inFlight: number, { poolSize, freezeMs }: Manners): string {
  return `Frozen for ${freezeMs / 1_000} s: ${inFlight} requests in flight, its pool has ${poolSize}`;
}

function accountLine({ ledger: { posts, puts }, inFlight: { most, frozen } }: DevMainServer): string {
  return `${posts} deliveries and ${puts} status updates, at most ${most} in flight, frozen ${frozen} ×`;
}

process.exitCode = await main(process.argv.slice(2));
