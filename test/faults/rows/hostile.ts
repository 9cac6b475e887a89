/** Row 29: messages that nobody should send. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { printable } from '../../../src/shared/words/escape.js';
import { parseMessage, withAttemptCount } from '../../../src/domain/message.js';
import { idOf } from '../../support/ledger.js';
import { countDead } from '../../support/redis/queue.js';
import { waitFor } from '../../support/wait-for.js';
import type { Findings, Row } from '../support/row.js';
import { pidsOf, type Stage } from '../support/stage.js';

const FUZZ_RUNS = 1_000_000;
const GENERATED_RUNS = 100_000;
const HOSTILE_MESSAGES = 10_000;

export const HOSTILE_ROWS: readonly Row[] = [
  {
    id: '29a',
    fault: '10,000 hostile messages through the program, one of 50 MB among them',
    bound: 'delivered or dead byte for byte, log lines whole, nobody dies',
    run: hostileMessages,
  },
  {
    id: '29b',
    fault: '1,000,000 generated values against parsing, the attempt_count splice, URLs and log lines',
    bound: '0 exceptions, no byte and nothing that JSON.parse reads changed beside the count',
    run: fuzz,
  },
];

const LONG = 'x'.repeat(300);

/** `@` stands for a number that makes each message another one. */
const CORPUS: readonly (string | Buffer)[] = [
  'not JSON @',
  '',
  'null',
  '[]',
  '[@]',
  '"text @"',
  '@',
  'true',
  '{}',
  '{"x":@}',
  '{"message_id":null,"n":@}',
  '{"message_id":@}',
  '{"message_id":"","n":@}',
  '{"message_id":"..","n":@}',
  `{"message_id":"${LONG}","n":@}`,
  '{"message_id":"a\\u0000b@"}',
  '{"message_id":"line\\r\\nSet-Cookie: @"}',
  '{"message_id":"half \\ud800 pair @"}',
  Buffer.from('7b226d6573736167655f6964223a22ff2240227d', 'hex'),
  '{"message_id":"x@"',
  `${'['.repeat(20_000)}@${']'.repeat(20_000)}`,
  '{"message_id":"../../admin/@","attempt_count":0}',
  '{"message_id":"a/b?c=d#e@"}',
  '{"message_id":"%2e%2e%2f@"}',
  '{"message_id":"\\u202ertl @"}',
  '{"message_id":"emoji \\ud83d\\ude00 @"}',
  '{"message_id":"__proto__@","__proto__":{"message_id":"other"}}',
  '{"message_id":"first@","message_id":"last@"}',
  '{"message_id":"nan@","attempt_count":NaN,"x":Infinity}',
  '{"message_id":"null@","attempt_count":null}',
  '{"message_id":"text@","attempt_count":"7"}',
  '{"message_id":"minus@","attempt_count":-1}',
  '{"message_id":"big@","attempt_count":1e308}',
  '{"message_id":"2to63@","attempt_count":0,"n":9223372036854775808}',
  `{"message_id":"deep@","x":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
  '{ "message_id" : "spaces@" ,\\n "attempt_count" : 0 }'.replace('\\n', '\n'),
];

async function hostileMessages(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({
    WORKER_COUNT: 2,
    WORKER_CONCURRENCY: 4,
    WORKER_RETRY_INTERVAL: 1,
  });
  await fleet.ready(2);
  const pids = await pidsOf(fleet);
  const malformed = new Map<string, number>();
  const wellFormed = new Set<string>();
  const raws: Buffer[] = [];
  const giant = JSON.stringify({ message_id: 'giant', body: 'y'.repeat(50_000_000) });
  for (let number = 0; number < HOSTILE_MESSAGES; number++) {
    const raw = number === 5_000 ? Buffer.from(giant) : numbered(CORPUS[number % CORPUS.length] ?? '', number);
    const parsed = parseMessage(raw);
    if (parsed.ok) wellFormed.add(parsed.message.id);
    else malformed.set(digest(raw), (malformed.get(digest(raw)) ?? 0) + 1);
    raws.push(raw);
  }
  for (const raw of raws) await stage.client.lpush(stage.keys.queue, raw);
  const deadCount = [...malformed.values()].reduce((sum, count) => sum + count, 0);
  const isDone = async () => {
    const left = await countDead(stage.client);
    return left >= deadCount && [...wellFormed].every((id) => stage.server.ledger.delivered.has(id));
  };
  await waitFor(isDone, { what: 'all to be delivered or dead', deadlineMs: 90_000 }).catch(async () => {
    const missing = [...wellFormed].filter((id) => !stage.server.ledger.delivered.has(id));
    const dead = await countDead(stage.client);
    stage.expect(
      false,
      `${dead} of ${deadCount} dead, not delivered: ${missing.length}, ${missing.slice(0, 3).join(' ')}`,
    );
  });
  await expectSameBytes(stage, malformed);
  stage.expect(String(await pidsOf(fleet)) === String(pids), 'a worker has died');
  const torn = fleet
    .logged()
    .split('\n')
    .filter((line) => line !== '' && !/^\d{4}-\d\d-\d\d \d\d:/.test(line));
  stage.expect(torn.length === 0, `forged or torn log lines: ${torn[0] ?? ''}`);
  const posted = [...stage.server.ledger.exchanges.keys()].filter((id) => !wellFormed.has(id));
  stage.expect(posted.length === 0, `reached the main server: ${posted.slice(0, 3).join(', ')}`);
  await stage.client.del(stage.keys.dead, stage.keys.deadIndex, stage.keys.deadLetters);
  return { note: `${wellFormed.size} delivered, ${deadCount} dead of ${HOSTILE_MESSAGES}` };
}

function numbered(template: string | Buffer, number: number): Buffer {
  return typeof template === 'string' ? Buffer.from(template.replaceAll('@', String(number))) : template;
}

async function expectSameBytes(stage: Stage, wanted: ReadonlyMap<string, number>): Promise<void> {
  const found = new Map<string, number>();
  for (const raw of (await stage.ledger.snapshot()).dead) found.set(digest(raw), (found.get(digest(raw)) ?? 0) + 1);
  const missing = [...wanted].filter(([hash, count]) => found.get(hash) !== count).length;
  stage.expect(missing === 0, `${missing} malformed messages are not among the dead, byte for byte`);
}

function digest(raw: Buffer): string {
  return createHash('sha1').update(raw).digest('hex');
}

async function fuzz(stage: Stage): Promise<Findings> {
  const anything = fc.oneof(
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({ message_id: fc.string({ unit: 'binary' }), attempt_count: fc.anything(), x: fc.jsonValue() })
      .map((value) => Buffer.from(JSON.stringify(value) ?? '')),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
  let wellFormed = 0;
  const examine = (raw: Buffer) => void (wellFormed += survives(raw) ? 1 : 0);
  fc.assert(fc.property(anything, examine), { numRuns: GENERATED_RUNS });
  for (let run = GENERATED_RUNS; run < FUZZ_RUNS; run++) examine(mutated(run));
  stage.expect(wellFormed > FUZZ_RUNS / 20, `only ${wellFormed} values were messages`);
  return { note: `${wellFormed} of 1,000,000 were messages` };
}

/** Small templates only: a million runs of the deep ones would take an hour. */
const SEEDS = CORPUS.map((seed) => numbered(seed, 1)).filter(({ length }) => length < 1_000);
const GRAMMAR = ['"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', 'e', '\n', ' ', 'ÿ', '\u0000', 'attempt_count'];

/** A seed with up to three places overwritten, cut out or doubled. */
function mutated(run: number): Buffer {
  let raw = SEEDS[run % SEEDS.length] ?? Buffer.alloc(0);
  for (let change = run % 4; change > 0; change--) {
    const at = Math.floor(Math.random() * (raw.length + 1));
    const piece = Buffer.from(GRAMMAR[Math.floor(Math.random() * GRAMMAR.length)] ?? '', 'latin1');
    const skipped = Math.floor(Math.random() * 3);
    raw = Buffer.concat([raw.subarray(0, at), piece, raw.subarray(at + skipped)]);
  }
  return raw;
}

/** Throws when a promise about one value is broken. Returns whether it is a message. */
function survives(raw: Buffer): boolean {
  const parsed = parseMessage(raw);
  if (/[\r\n\u001b\u202e]/.test(printable(idOf(raw), 255))) throw new Error('a log line can be forged');
  if (!parsed.ok) return false;
  const { id } = parsed.message;
  const path = new URL(`https://host/internal/messages/${encodeURIComponent(id)}/status`).pathname;
  if (path.split('/').length !== 5) throw new Error(`the id ${JSON.stringify(id)} leaves its path segment`);
  const counted = withAttemptCount(raw, 41);
  expectOnlyTheCount(raw, counted);
  const again = parseMessage(counted);
  if (!again.ok || again.message.attemptCount !== 41 || again.message.id !== id) throw new Error('the splice broke it');
  if (!withAttemptCount(withAttemptCount(counted, 7), 41).equals(counted)) throw new Error('the splice is not stable');
  return true;
}

/** One run of bytes differs, and what JSON.parse makes of both differs in `attempt_count` alone. */
function expectOnlyTheCount(raw: Buffer, counted: Buffer): void {
  let head = 0;
  while (head < raw.length && raw[head] === counted[head]) head++;
  let tail = 0;
  const most = Math.min(raw.length, counted.length) - head;
  while (tail < most && raw[raw.length - 1 - tail] === counted[counted.length - 1 - tail]) tail++;
  const written = counted.subarray(head, counted.length - tail).toString('latin1');
  const replaced = raw.subarray(head, raw.length - tail).toString('latin1');
  // the number, a part of it when old and new share digits, or a whole member before the closing brace
  if (!/^(?:4?1?|,"attempt_count":41)$/.test(written)) throw new Error(`the splice wrote ${written}`);
  const [before, after] = [parsedJson(raw), parsedJson(counted)];
  if (!before || !after) return; // NaN and Infinity, which only Python reads
  if (after['attempt_count'] !== 41) throw new Error('JSON.parse reads another count');
  if (JSON.stringify({ ...before, attempt_count: 0 }) !== JSON.stringify({ ...after, attempt_count: 0 }))
    throw new Error(`another field has changed with ${replaced}`);
}

function parsedJson(raw: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(raw.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
