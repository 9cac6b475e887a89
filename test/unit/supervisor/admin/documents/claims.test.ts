import { expect, test } from 'vitest';
import { withClaims } from '../../../../../supervisor/admin/documents/claims.js';
import type { MessageSummary } from '../../../../../supervisor/admin/protocol.js';

function claimed(id: string | null): MessageSummary {
  const rest = { client_id: null, domain: null, attempt_count: 0, queued_at: null, size_bytes: 2, last_failure: null };
  return { place: 'in_flight', begun: null, worker_id: 'w', host: 'h', message_id: id, ...rest };
}

const of = (id: string | null, consumer: string) => ({ shown: claimed(id), consumer });
const places = (shown: readonly MessageSummary[]) =>
  shown.map((message) => (message.place === 'in_flight' ? message.begun : message.place));

test('a worker is asked only where something is claimed', async () => {
  const waiting = { ...claimed('a'), place: 'waiting' as const, number: 1 };
  const ask = () => Promise.reject(new Error('asked'));
  expect(await withClaims([{ shown: waiting, consumer: undefined }], ask)).toEqual([waiting]);
});

test('of copies the newest are held; another consumer, or one that says nothing, leaves it open', async () => {
  const workers = [{ consumers: ['now', 'before'], begun: ['a', 'b'], held: ['a', 'c'] }];
  const seen = [of('a', 'now'), of('a', 'now'), of('a', 'now'), of('b', 'before'), of('c', 'now'), of('b', 'other')];
  const shown = await withClaims([...seen, of(null, 'now')], () => Promise.resolve(workers));
  expect(places(shown)).toEqual(['held', true, null, true, 'held', null, null]);
});
