/** The main server that behaves as the real one, a process of its own: `node original-sink-process.js <OriginalSetup as JSON>`. */
import { readFileSync } from 'node:fs';
import type { Faults } from '../../main-server/faults.js';
import { startMainServer } from '../../main-server/server.js';
import { sharedClockMs } from './shared-clock.js';

export interface OriginalSetup {
  readonly caCert: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly manners: Partial<Faults>;
  /** Of a delivery, beside each other. */
  readonly delayMs: number;
}

/** `enqueued`: ids that are put into the queue now. `count`, `take`: answer, and with `take` forget. */
export type ToOriginal =
  | { readonly type: 'enqueued'; readonly ids: readonly string[] }
  | { readonly type: 'count' }
  | { readonly type: 'take' };

export type FromOriginal =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'counted'; readonly delivered: number }
  | { readonly type: 'taken'; readonly account: Account };

export interface Account {
  readonly messages: readonly MessageAccount[];
  /** Requests in flight at most, and those that froze the server. */
  readonly most: number;
  readonly frozen: number;
}

/** Times on the shared clock. */
interface MessageAccount {
  readonly id: string;
  readonly posts: number;
  /** The server knew it from then on; undefined = it was not announced. */
  readonly knownAtMs: number | undefined;
  /** The first 2xx was handed to the socket; undefined = there was none. */
  readonly deliveredAtMs: number | undefined;
  /** From its request to its answer. */
  readonly tookMs: number | undefined;
}

const setup = JSON.parse(process.argv[2] ?? '') as OriginalSetup;
const pem = (path: string) => readFileSync(path, 'utf8');
const server = await startMainServer({
  tls: { cert: pem(setup.serverCert), key: pem(setup.serverKey), ca: pem(setup.caCert) },
});
const knownAtMs = new Map<string, number>();
behave();
tell({ type: 'listening', port: server.port });

process.on('message', (message: ToOriginal) => {
  if (message.type === 'enqueued') for (const id of message.ids) knownAtMs.set(id, server.enqueued(id));
  if (message.type === 'count') tell({ type: 'counted', delivered: server.ledger.delivered.size });
  if (message.type === 'take') {
    tell({ type: 'taken', account: accountNow() });
    server.clear();
    knownAtMs.clear();
    behave();
  }
});
process.on('disconnect', () => process.exit(0));

function behave(): void {
  Object.assign(server.faults, setup.manners);
  server.faults.post.delayMs = setup.delayMs;
}

function accountNow(): Account {
  const { most, frozen } = server.inFlight;
  return { messages: [...server.ledger.exchanges.keys()].map(messageAccount), most, frozen };
}

function messageAccount(id: string): MessageAccount {
  // performance.now() counts from the start of this process
  const shared = (ms: number | undefined) => (ms === undefined ? undefined : ms + sharedClockMs() - performance.now());
  const posts = server.ledger.of(id, 'POST');
  const done = posts.find(({ status = 0 }) => status >= 200 && status < 300);
  return {
    id,
    posts: posts.length,
    knownAtMs: shared(knownAtMs.get(id)),
    deliveredAtMs: shared(done?.endMs),
    tookMs: done?.endMs === undefined ? undefined : done.endMs - done.startMs,
  };
}

function tell(message: FromOriginal): void {
  process.send?.(message, undefined, undefined, () => undefined);
}
