/** The account of a run, by the main server's ledger: what it answered, not what a worker believes. */
import type { Ledger } from '../main-server/ledger.js';
import type { DevMainServer } from '../main-server/server.js';
import { count } from './progress.js';
import { RETRY_INTERVAL_S } from './config.js';

export interface Account {
  readonly enqueued: number;
  /** Of those enqueued. */
  readonly delivered: number;
  readonly missing: readonly string[];
  /** Messages whose first POST was not answered with 2xx. */
  readonly firstFailures: number;
  readonly failedAttempts: number;
  readonly duplicates: number;
  /** At the main server at once, and how many of them froze it. */
  readonly inFlight: DevMainServer['inFlight'];
  /** From the first message enqueued to the last one delivered. */
  readonly durationMs: number;
}

const SHOWN_MISSING = 10;

/** `ids` of the enqueued messages; `enqueuedAtMs` on the ledger's clock (performance.now()). */
export function accountOf(
  { ledger, inFlight }: Pick<DevMainServer, 'ledger' | 'inFlight'>,
  ids: readonly string[],
  enqueuedAtMs: number,
): Account {
  const missing: string[] = [];
  let firstFailures = 0;
  let lastMs = enqueuedAtMs;
  for (const id of ids) {
    const posts = ledger.of(id, 'POST');
    if (posts[0]?.status !== undefined && !isSuccess(posts[0].status)) firstFailures++;
    if (!ledger.delivered.has(id)) missing.push(id);
    for (const { endMs, status } of posts) if (status && isSuccess(status)) lastMs = Math.max(lastMs, endMs ?? 0);
  }
  return {
    enqueued: ids.length,
    delivered: ids.length - missing.length,
    missing,
    firstFailures,
    failedAttempts: failedAttempts(ledger),
    duplicates: ledger.duplicates,
    inFlight,
    durationMs: lastMs - enqueuedAtMs,
  };
}

export function failedAttempts({ posts, delivered, duplicates }: Ledger): number {
  return posts - delivered.size - duplicates;
}

export function accountLines(account: Account): string[] {
  const { enqueued, delivered, missing, durationMs, duplicates, inFlight } = account;
  const seconds = durationMs / 1_000;
  const shown = missing.slice(0, SHOWN_MISSING).join(', ');
  const rest = missing.length > SHOWN_MISSING ? ` and ${count(missing.length - SHOWN_MISSING)} more` : '';
  return [
    missing.length === 0
      ? `Every message is accounted for: the main server answered 200 for each of the ${count(enqueued)} ids.`
      : `${count(missing.length)} of ${count(enqueued)} messages are not delivered: ${shown}${rest}`,
    `  delivered       ${count(delivered)} of ${count(enqueued)}`,
    `  failed at first ${count(account.firstFailures)} (${count(account.failedAttempts)} failed attempts, each repeated after ${RETRY_INTERVAL_S} s)`,
    `  duplicates      ${count(duplicates)}`,
    ...inFlightLines(inFlight),
    `  time            ${seconds.toFixed(1)} s, ${count(delivered / Math.max(seconds, 0.001))} messages/s`,
  ];
}

/** A main server that answers at once has one request at a time, however many are on their way to it. */
function inFlightLines({ most, frozen }: Account['inFlight']): string[] {
  if (most <= 1) return [];
  const freezes = frozen > 0 ? `; the main server froze ${count(frozen)} times` : '';
  return [`  in flight       ${count(most)} at once at most${freezes}`];
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
