import { expect, test } from 'vitest';
import { useInstallation } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { SLOW_HANGS_MS, waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;
const DEPTH = 20_000;
const nested = (inside: string) => `${'['.repeat(DEPTH)}${inside}${']'.repeat(DEPTH)}`;
const bytes = (text: string) => Buffer.from(text, 'latin1');

const MALFORMED: Readonly<Record<string, Buffer>> = {
  empty: bytes(''),
  text: bytes('hello'),
  cut: bytes('{"message_id":"cut"'),
  array: bytes('[{"message_id":"array"}]'),
  null: bytes('null'),
  number: bytes('17'),
  'no id': bytes('{"attempt_count":0}'),
  'null id': bytes('{"message_id":null}'),
  'number id': bytes('{"message_id":7}'),
  'empty id': bytes('{"message_id":""}'),
  'dots id': bytes('{"message_id":".."}'),
  'line break id': Buffer.from('{"message_id":"a\\r\\n2025-01-15 10:30:45,123 - worker - INFO - [worker-1] - forged"}'),
  'control id': Buffer.from('{"message_id":"\\u001b[2J\\u0000"}'),
  'long id': bytes(`{"message_id":"${'x'.repeat(300)}"}`),
  'not UTF-8': bytes('{"message_id":"not UTF-8","t":"\xff\xfe\x80"}'),
  NaN: bytes('{"message_id":"NaN","n":Nope}'),
  'deep array': bytes(nested('')),
};

const DELIVERABLE: Readonly<Record<string, Buffer>> = {
  deep: bytes(`{"message_id":"deep","n":${nested('1')}}`),
  proto: bytes('{"__proto__":{"message_id":"x","attempt_count":99999},"message_id":"proto","constructor":1}'),
  'null count': bytes('{"message_id":"null count","attempt_count":null}'),
  'text count': bytes('{"message_id":"text count","attempt_count":"7"}'),
  'negative count': bytes('{"message_id":"negative count","attempt_count":-1}'),
  'odd time': bytes('{"message_id":"odd time","queued_at":{"a":1}}'),
  'far time': bytes('{"message_id":"far time","queued_at":"9999-12-31T23:59:59Z"}'),
  '../../../health': bytes('{"message_id":"../../../health"}'),
  'a/b?c=d#e%2f': bytes('{"message_id":"a/b?c=d#e%2f"}'),
  '<script>alert(1)</script>': bytes('{"message_id":"<script>alert(1)</script>"}'),
  'emoji 😀 and ‮ right to left': Buffer.from('{"message_id":"emoji 😀 and ‮ right to left"}'),
};

test('hostile messages are delivered or kept byte for byte, and nothing else happens', async () => {
  const { server } = installation;
  const fleet = await start({ WORKER_COUNT: 1 });
  const [before] = await fleet.ready(1);
  for (const raw of Object.values(MALFORMED)) await ledger.produceRaw(raw.toString('latin1'), raw);
  for (const [id, raw] of Object.entries(DELIVERABLE)) await ledger.produceRaw(id, raw);
  const good = await ledger.produce(50);
  await waitFor(() => good.every((id) => server.ledger.delivered.has(id)), { what: 'the good ones' });
  await waitFor(async () => (await ledger.accountFor()).processing === 0, { what: 'all to be settled' });

  const { dead, waiting, retry } = await ledger.snapshot();
  expect(sorted(dead)).toEqual(sorted(Object.values(MALFORMED)));
  expect([waiting, retry]).toEqual([[], []]);
  expect([...server.ledger.delivered].sort()).toEqual([...Object.keys(DELIVERABLE), ...good].sort());
  const count = Object.keys(MALFORMED).length;
  expect(await fleet.get('/metrics/workers')).toMatch(
    new RegExp(`^worker_messages_failed_total\\{[^}]*reason="malformed"[^}]*\\} ${count}$`, 'm'),
  );
  const [after] = await fleet.ready(1);
  expect(after).toMatchObject({ pid: before?.pid, restarts: 0 });
  expectNoForgedLine(fleet.logged());
});

test('an id with path steps reaches no other address when its status is told', async () => {
  const { server } = installation;
  server.faults.post.status = 500;
  const ids = ['../../../health', 'a/b?c=d#e%2f', '%2e%2e', 'x'.repeat(255)];
  const fleet = await start({ WORKER_COUNT: 1, WORKER_MAX_ATTEMPTS: 1, WORKER_RETRY_INTERVAL: 1 });
  await fleet.ready(1);
  for (const id of ids) await ledger.produceRaw(id, JSON.stringify({ message_id: id, attempt_count: 0 }));
  await waitFor(async () => (await ledger.snapshot()).dead.length === ids.length, { what: 'all to be buried' });
  // ids with an encoded slash match no route of the real server; they reach none of another meaning either
  const told = [...server.ledger.exchanges].filter(([, exchanges]) => exchanges.some(({ method }) => method === 'PUT'));
  expect(told.map(([id]) => id).filter((id) => !ids.includes(id))).toEqual([]);
  expect(await ledger.accountFor()).toMatchObject({ lost: [], dead: ids.length });
});

test('a message of 50 MB is delivered, one of 50 MB of rubbish is kept', async () => {
  const { server } = installation;
  const fleet = await start({ WORKER_COUNT: 1 });
  const [before] = await fleet.ready(1);
  const padding = 'x'.repeat(50 * 1024 * 1024);
  await ledger.produceRaw('large', `{"message_id":"large","pad":"${padding}"}`);
  const rubbish = Buffer.from(`[${padding}`);
  await ledger.produceRaw('rubbish', rubbish);
  const good = await ledger.produce(20);
  const expected = ['large', ...good];
  await waitFor(() => expected.every((id) => server.ledger.delivered.has(id)), {
    what: 'all',
    deadlineMs: SLOW_HANGS_MS,
  });
  const { dead, waiting } = await ledger.snapshot();
  expect(dead.map((raw) => raw.equals(rubbish))).toEqual([true]);
  expect(waiting).toEqual([]);
  const [after] = await fleet.ready(1);
  expect(after).toMatchObject({ pid: before?.pid, restarts: 0 });
});

function sorted(messages: readonly Buffer[]): string[] {
  return messages.map((raw) => raw.toString('latin1')).sort();
}

function expectNoForgedLine(log: string): void {
  const shape = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - worker - [A-Z]+ - \[(worker-1|supervisor)\] - /;
  const lines = log.trimEnd().split('\n');
  expect(lines.filter((line) => !shape.test(line) || line.includes('] - forged'))).toEqual([]);
  // eslint is right that these do not belong into text: no escape sequence and no direction mark may reach a terminal
  expect(log).not.toMatch(/\p{Cc}(?<!\n)|‮/u);
}
