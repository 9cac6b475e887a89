import type { FailingFacts } from '../../../src/domain/failures/failing-clients.js';
import { isoOf } from '../../../src/shared/words/paused.js';
import type { FailingClient, FailingStatus } from '../status-document.js';

const MOST_SHOWN = 10;

/** What all workers say of it, put together. Pure. */
export function failingStatus(said: readonly FailingFacts[]): FailingStatus {
  const clients = new Map<string | undefined, FailingClient>();
  for (const { client, answer, failed, delivered, since } of said.flatMap((each) => each.clients)) {
    const before = clients.get(client);
    const at = isoOf(since);
    clients.set(client, {
      client_id: client ?? null,
      answer: before && before.failed > failed ? before.answer : answer,
      failed: failed + (before?.failed ?? 0),
      delivered: delivered + (before?.delivered ?? 0),
      since: before && before.since < at ? before.since : at,
    });
  }
  return {
    failed: said.reduce((sum, { failed }) => sum + failed, 0),
    delivered: said.reduce((sum, { delivered }) => sum + delivered, 0),
    clients: [...clients.values()].sort((one, next) => next.failed - one.failed).slice(0, MOST_SHOWN),
  };
}
