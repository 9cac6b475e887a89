import { setMaxListeners } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { cancelMarker } from '../../../../../src/domain/cancelled.js';
import { readDeadLetter } from '../../../../../src/domain/dead-letters/dead-letter.js';
import { outcomeOfErrorCode, outcomeOfStatus } from '../../../../../src/domain/delivery-outcome.js';
import type { Claim } from '../../../../../src/queue/message-queue.js';
import type { AttemptResult } from '../../../../../src/worker/attempt/attempt.js';
import { DELIVERED, FAILED, REFUSED, UNREGISTERED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message, RETRY_MS, type Core, totals, totalsIn } from '../core.js';

afterEach(closeCores);

const MAX_ATTEMPTS = 3;
const MESSAGE_MAX_BYTES = 100_000;
const DELIVERY_SECONDS = 'worker_delivery_duration_seconds_sum';
const WAIT_SECONDS = 'worker_queue_wait_seconds_sum';
const HAND_BACK = (claim: Claim): AttemptResult => ({ settlement: { kind: 'hand-back', claim }, messageId: 'm' });

interface Stage extends Core {
  readonly claim: Claim;
  readonly kill: AbortController;
  readonly result: Promise<AttemptResult>;
  /** Undefined while the attempt goes on. */
  ended(): AttemptResult | undefined;
}

/** An attempt that was begun at 0 ms. */
function attempted(raw: string): Stage {
  const core = createCore({ maxAttempts: MAX_ATTEMPTS }, { queue: { messageMaxBytes: MESSAGE_MAX_BYTES } });
  const claim = { raw: Buffer.from(raw), consumer: 'c' };
  const kill = new AbortController();
  setMaxListeners(0, kill.signal); // one for each POST
  core.held.onChange = () => core.held.admit(1);
  const result = core.attempts.run(claim, kill.signal);
  let ended: AttemptResult | undefined;
  void result.then((value) => (ended = value));
  return { ...core, claim, kill, result, ended: () => ended };
}

/** Queued `ageMs` before the attempt. */
function young(ageMs = 0): string {
  const { clock } = createCore();
  return message('m', { queued_at: new Date(clock.wallNow() - ageMs).toISOString() });
}

describe('a POST', () => {
  test('that is answered with 2xx ends in an acknowledgement', async () => {
    const { claim, clock, server, result, metrics, metric, log } = attempted(message('m'));
    await clock.advance(40);
    server.post('m').answer(DELIVERED);
    expect(await result).toEqual({ settlement: { kind: 'ack', claim }, messageId: 'm' });
    expect(await totals(metrics)).toEqual({ processed: 1, delivered: 1, failed: 0, retried: 0 });
    expect(await metric(DELIVERY_SECONDS)).toBeCloseTo(0.04);
    expect(log.lines).toEqual(['INFO Processing message m (attempt 1/3)', 'INFO Message m delivered successfully']);
  });

  test('that is answered with 2xx has no INFO line where only failures are told, one that fails has', async () => {
    const { attempts, server, log } = createCore({}, { logging: { messages: 'failures' } });
    for (const [id, outcome] of [
      ['good', DELIVERED],
      ['bad', FAILED],
    ] as const) {
      const result = attempts.run({ raw: Buffer.from(message(id)), consumer: 'c' }, new AbortController().signal);
      server.post(id).answer(outcome);
      await result;
    }
    expect(log.lines.filter((line) => !line.startsWith('DEBUG'))).toEqual([
      'ERROR Main server returned error 500 for message bad: Internal Server Error',
      'WARNING Message bad delivery failed, will retry',
      'INFO Waiting 30s before retrying message bad',
    ]);
  });

  test('of a message that has failed before says so as it is acknowledged', async () => {
    const { claim, server, result } = attempted(message('m', { attempt_count: 1 }));
    server.post('m').answer(DELIVERED);
    expect(await result).toEqual({ settlement: { kind: 'ack-retried', claim, messageId: 'm' }, messageId: 'm' });
  });

  test('that fails is kept with the message and counted, with whom it hits', async () => {
    const text = message('m', { client_id: 'c1', domain: 'example.org' });
    const { server, result, counted, clock } = attempted(text);
    server.post('m').answer(outcomeOfStatus(503, 'busy\n'));
    const { settlement } = await result;
    const at = new Date(clock.wallNow()).toISOString();
    expect(settlement).toMatchObject({
      failure: `{"at":"${at}","reason":"http_503","status":503,"worker_id":"worker-1","answer":"busy\\\\x0a"}`,
    });
    expect(counted).toEqual([
      {
        at: clock.wallNow(),
        messageId: 'm',
        reason: 'http_503',
        status: 503,
        client: 'c1',
        domain: 'example.org',
      },
    ]);
  });

  test('that fails is kept without its answer where none is to be kept', async () => {
    const core = createCore({}, { queue: { failureAnswers: false } });
    const claim = { raw: Buffer.from(message('m')), consumer: 'c' };
    const result = core.attempts.run(claim, new AbortController().signal);
    core.server.post('m').answer(outcomeOfStatus(503, 'busy'));
    const { settlement } = await result;
    expect(settlement.kind === 'retry' && settlement.failure).toMatch(/"status":503,"worker_id":"worker-1"\}$/);
  });

  test.each([
    [
      '500',
      FAILED,
      'http_500',
      'HTTP 500',
      'ERROR Main server returned error 500 for message m: Internal Server Error',
    ],
    [
      '503',
      outcomeOfStatus(503, '\u001b[31mdown'),
      'http_503',
      'HTTP 503',
      'ERROR Main server returned error 503 for message m: \\x1b[31mdown',
    ],
    ['404', UNREGISTERED, 'http_404', 'HTTP 404', 'ERROR Main server returned error 404 for message m: {"error"'],
    [
      'no connection',
      REFUSED,
      'connection_refused',
      'Connection refused',
      'ERROR Failed to connect to main server for message m: Connection refused (connect ECONNREFUSED 127.0.0.1:8000)',
    ],
    [
      'no answer in time',
      outcomeOfErrorCode('UND_ERR_HEADERS_TIMEOUT', 'Connection timeout'),
      'timeout',
      'Connection timeout',
      'ERROR Failed to connect to main server for message m: Connection timeout',
    ],
  ])('that ends with %s is repeated after the retry interval, and told', async (_, outcome, reason, text, line) => {
    const { claim, server, result, metrics, log } = attempted(message('m', { attempt_count: 1, body: 'ü' }));
    server.post('m').answer(outcome);
    expect(await result).toEqual({
      settlement: {
        kind: 'retry',
        claim,
        message: Buffer.from(message('m', { attempt_count: 2, body: 'ü' })),
        messageId: 'm',
        delayMs: RETRY_MS,
        failure: expect.stringContaining(`"reason":"${reason}"`) as string,
      },
      messageId: 'm',
      failed: true,
      statusUpdate: { status: 'queued', attemptCount: 2, errorMessage: text },
    });
    const counts = await metrics.counts();
    expect(totalsIn(counts)).toMatchObject({ processed: 1, delivered: 0, failed: 1 });
    expect(counts.failures).toMatchObject([{ reason, error: text, messageId: 'm' }]);
    expect(log.lines[1]).toContain(line);
    expect(log.lines.slice(2)).toEqual([
      'WARNING Message m delivery failed, will retry',
      'INFO Waiting 30s before retrying message m',
    ]);
  });

  test('teaches the breaker', async () => {
    const { breaker, attempts, server, result, settle } = attempted(message('m'));
    server.post('m').answer(REFUSED);
    await result;
    server.answerPosts(REFUSED);
    const { signal } = new AbortController();
    for (let count = 0; count < 9; count += 1) {
      await attempts.run({ raw: Buffer.from(message(`m${count}`)), consumer: 'c' }, signal);
    }
    await settle();
    expect(breaker).toMatchObject({ state: 'open', lastReason: 'connection_refused' });
  });

  test('that is cut by a kill hands the message back, uncounted', async () => {
    const { claim, kill, result, metrics, metric, breaker } = attempted(message('m'));
    kill.abort();
    expect(await result).toEqual(HAND_BACK(claim));
    expect(await totals(metrics)).toEqual({ processed: 0, delivered: 0, failed: 0, retried: 0 });
    expect(await metric(DELIVERY_SECONDS)).toBe(0);
    expect(breaker.lastReason).toBeUndefined();
  });
});

describe('the time in the queue', () => {
  test('is measured at the first attempt, and is never negative', async () => {
    const first = attempted(young(1_500));
    expect(await first.metric(WAIT_SECONDS)).toBeCloseTo(1.5);
    const ahead = attempted(young(-60_000));
    expect(await ahead.metric(WAIT_SECONDS)).toBe(0);
  });

  test('is not measured again', async () => {
    const { clock } = createCore();
    const queued_at = new Date(clock.wallNow() - 1_500).toISOString();
    const second = attempted(message('m', { attempt_count: 1, queued_at }));
    expect(await second.metric(WAIT_SECONDS)).toBe(0);
  });
});

describe('a young message that the main server does not know yet', () => {
  test('is asked for again in steps that grow, until the grace is over, inside the same attempt', async () => {
    const { claim, clock, server, ended, result } = attempted(young());
    const postedAt: number[] = [];
    while (ended() === undefined) {
      postedAt.push(clock.now());
      const posts = server.posts.length;
      server.post('m').answer(UNREGISTERED);
      await clock.settle();
      while (ended() === undefined && server.posts.length === posts) await clock.advance(1);
    }
    expect(postedAt).toEqual([0, 20, 50, 95, 163, 265, 417, 645, 987, 1_500, 2_000]);
    expect(await result).toMatchObject({
      settlement: { kind: 'retry', claim },
      statusUpdate: { errorMessage: 'HTTP 404', attemptCount: 1 },
    });
  });

  test('is delivered once it is registered, as one attempt', async () => {
    const { claim, clock, server, result, metrics, metric } = attempted(young());
    server.post('m').answer(UNREGISTERED);
    await clock.advance(20);
    expect(server.posts).toHaveLength(2);
    await clock.advance(8);
    server.post('m').answer(DELIVERED);
    expect(await result).toEqual({ settlement: { kind: 'ack', claim }, messageId: 'm' });
    expect(await totals(metrics)).toEqual({ processed: 1, delivered: 1, failed: 0, retried: 0 });
    // the answers took 0 and 8 ms; the pause between them is no part of the delivery
    expect(await metric(DELIVERY_SECONDS)).toBeCloseTo(0.008);
  });

  test.each([
    ['older than the grace', young(2_000)],
    ['in its second attempt', message('m', { attempt_count: 1, queued_at: '2025-01-15T10:30:00Z' })],
    ['of no known age', message('m')],
  ])('is asked for once when it is %s', async (_, raw) => {
    const { clock, server, ended } = attempted(raw);
    server.post('m').answer(UNREGISTERED);
    await clock.settle();
    expect(ended()).toMatchObject({ settlement: { kind: 'retry' } });
    expect(clock.pending).toBe(0);
  });

  test('is handed back at once by a kill between two POSTs', async () => {
    const { claim, clock, server, kill, result } = attempted(young());
    server.post('m').answer(UNREGISTERED);
    await clock.advance(10);
    kill.abort();
    expect(await result).toEqual(HAND_BACK(claim));
    expect(clock.pending).toBe(0);
  });
});

describe('an attempt of unknown fate: the request had left, and no answer came', () => {
  const LATE = outcomeOfErrorCode('ETIMEDOUT', 'no complete answer within 30 s', true);

  test('is not told, since the main server may be delivering', async () => {
    const { server, result, metrics, claim } = attempted(message('m'));
    server.post('m').answer(LATE);
    expect(await result).toEqual({
      settlement: {
        kind: 'retry',
        claim,
        message: Buffer.from(message('m', { attempt_count: 1 })),
        messageId: 'm',
        delayMs: RETRY_MS,
        failure: expect.stringContaining('"reason":"timeout"') as string,
      },
      messageId: 'm',
      failed: true,
    });
    expect(await totals(metrics)).toMatchObject({ processed: 1, failed: 1 });
  });

  test('is not the last one: the message stays as it is, and is asked for once more', async () => {
    const { server, result, claim } = attempted(message('m', { attempt_count: MAX_ATTEMPTS - 1 }));
    server.post('m').answer(LATE);
    const { settlement, statusUpdate } = await result;
    expect(settlement).toMatchObject({ kind: 'retry', message: claim.raw, delayMs: RETRY_MS });
    expect(statusUpdate).toBeUndefined();
  });
});

describe('what is no message', () => {
  test('is buried as it is, and nobody is asked', async () => {
    const { claim, server, result, metrics, log, clock } = attempted('{"message_id":17}');
    const { settlement } = await result;
    expect(settlement).toMatchObject({ kind: 'bury', claim });
    expect(settlement).not.toHaveProperty('isUntold');
    const envelope = settlement.kind === 'bury' ? readDeadLetter(settlement.envelope) : undefined;
    expect(envelope).toEqual({
      raw: claim.raw,
      rawBytes: claim.raw.length,
      isLarge: false,
      reason: 'malformed',
      error: 'The message_id is not a string.',
      attemptCount: 0,
      workerId: 'worker-1',
      deadAt: new Date(clock.wallNow()).toISOString(),
      failures: [],
    });
    expect(server.posts).toEqual([]);
    expect((await metrics.counts()).failures).toMatchObject([{ reason: 'malformed', messageId: '' }]);
    expect(log.lines).toEqual([
      'ERROR Moved a malformed message of 17 bytes to the dead list: The message_id is not a string.',
    ]);
  });

  test('since an operator cancelled it is dropped: not counted, not buried, no error', async () => {
    const { claim, server, result, metrics, log } = attempted(cancelMarker('0123456789ab-1'));
    expect(await result).toEqual({ settlement: { kind: 'ack', claim } });
    expect(await totals(metrics)).toEqual({ processed: 0, delivered: 0, failed: 0, retried: 0 });
    expect((await metrics.counts()).failures).toEqual([]);
    expect([server.posts, log.lines]).toEqual([[], []]);
  });

  test('because it is larger than the limit is buried unread', async () => {
    const { claim, server, result } = attempted(message('m', { text: 'x'.repeat(MESSAGE_MAX_BYTES) }));
    const { settlement } = await result;
    const envelope = settlement.kind === 'bury' ? readDeadLetter(settlement.envelope) : undefined;
    expect(envelope).toMatchObject({ reason: 'malformed', error: 'The message is larger than MESSAGE_MAX_BYTES.' });
    expect(envelope?.raw.equals(claim.raw)).toBe(true);
    expect(server.posts).toEqual([]);
  });
});

describe('a message whose attempts are spent', () => {
  const SPENT = message('m', { attempt_count: MAX_ATTEMPTS });

  test.each([
    ['taken', DELIVERED],
    ['unknown to the main server', UNREGISTERED],
    ['refused by the main server', outcomeOfStatus(422, '')],
  ])('is buried once its end was told: %s', async (_, outcome) => {
    const { claim, server, result, metrics, log } = attempted(SPENT);
    expect(server.posts).toEqual([]);
    expect(server.puts).toMatchObject([
      { id: 'm', update: { status: 'failed', attemptCount: 3, errorMessage: 'Max attempts exceeded' } },
    ]);
    server.puts[0]?.answer(outcome);
    const { settlement, statusUpdate } = await result;
    expect(settlement).toMatchObject({ kind: 'bury', claim });
    const envelope = settlement.kind === 'bury' ? readDeadLetter(settlement.envelope) : undefined;
    expect(envelope).toMatchObject({ reason: 'max_attempts_exceeded', attemptCount: 3, raw: claim.raw });
    expect(statusUpdate).toBeUndefined();
    expect(await totals(metrics)).toMatchObject({ processed: 0, failed: 1 });
    expect(log.lines).toEqual(['ERROR Message m exceeded max attempts (3), marking as failed']);
  });

  test.each([
    ['cannot be reached', REFUSED, 'Connection refused'],
    ['fails at it', FAILED, 'HTTP 500'],
    ['is down', outcomeOfStatus(503, ''), 'HTTP 503'],
    ['has no time for it', outcomeOfStatus(429, ''), 'HTTP 429'],
    ['is somewhere else', outcomeOfStatus(302, ''), 'Redirect refused'],
  ])('is buried as one that is still to be told of when the main server %s', async (_, outcome, text) => {
    const { claim, server, result, metrics, log } = attempted(SPENT);
    server.puts[0]?.answer(outcome);
    const { settlement } = await result;
    expect(settlement).toMatchObject({ kind: 'bury', claim, isUntold: true });
    expect(await totals(metrics)).toMatchObject({ failed: 1 });
    expect(log.lines[1]).toBe(`WARNING Message m could not be marked as failed (${text}), trying again later`);
  });

  test('teaches the breaker as well', async () => {
    const { server, result, breaker } = attempted(SPENT);
    server.puts[0]?.answer(REFUSED);
    await result;
    expect(breaker.lastReason).toBe('connection_refused');
  });

  test('is handed back by a kill', async () => {
    const { claim, kill, result } = attempted(SPENT);
    kill.abort();
    expect(await result).toEqual(HAND_BACK(claim));
  });
});
