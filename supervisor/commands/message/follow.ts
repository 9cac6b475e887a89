import type { MessageFilter } from '../../../src/domain/filter/message-filter.js';
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { seenSummary, withClaims, type AskClaims } from '../../admin/documents/claims.js';
import type { MessageSummary } from '../../admin/protocol.js';

const LOOK_EVERY_MS = 1_000;
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Followed {
  readonly filter: MessageFilter;
  /** Messages at each look. */
  readonly limit: number;
  readonly claims: AskClaims;
}

/** Prints each message that the filter means, and again when it is somewhere else or has failed again, until a signal. */
export async function followMessages(
  { messages }: Pick<OperatorQueue, 'messages'>,
  { claims, ...query }: Followed,
  print: (message: MessageSummary) => void,
): Promise<void> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  for (const signal of ENDING_SIGNALS) process.on(signal, end);
  try {
    for (let seen: ReadonlySet<string> = new Set(); !ended.signal.aborted;) {
      const isAbandoned = (): boolean => ended.signal.aborted;
      const page = await messages.list({ ...query, budgetMs: LOOK_EVERY_MS, isAbandoned }, seenSummary);
      const entries = await withClaims(page.entries, claims);
      for (const message of entries) if (!seen.has(stationOf(message))) print(message);
      seen = new Set(entries.map(stationOf));
      await systemClock.sleep(LOOK_EVERY_MS, ended.signal);
    }
  } finally {
    for (const signal of ENDING_SIGNALS) process.off(signal, end);
  }
}

function stationOf(message: MessageSummary): string {
  const key = message.place === 'dead' ? message.key : '';
  return JSON.stringify([message.place, key, message.message_id, message.attempt_count, message.queued_at]);
}
