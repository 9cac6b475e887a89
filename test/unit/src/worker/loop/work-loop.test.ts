import { afterEach, describe, expect, test } from 'vitest';
import { FAILED, DELIVERED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message, totals } from '../core.js';

afterEach(closeCores);

const ids = (count: number) => Array.from({ length: count }, (_, at) => `m${at + 1}`);
const pushed = (...names: string[]) => names.map((id) => message(id));

describe('claiming', () => {
  test('never more than there are free slots, nor than a batch', async () => {
    const { workLoop, queue, server, settle } = createCore({ concurrency: 5, batchSize: 3 });
    queue.push(...pushed(...ids(20)));
    workLoop.start();
    await settle();
    expect(queue.requests.map(({ want }) => want)).toEqual([3, 2]);
    expect(server.ids).toEqual(ids(5));
    expect(workLoop.facts).toMatchObject({ inFlight: 5, slotsFull: true });

    server.post('m2').answer(DELIVERED);
    server.post('m4').answer(DELIVERED);
    await settle();
    expect(queue.asked.at(-1)).toBe('exchange [ack m2, ack m4] want 2');
    expect(server.ids).toEqual(ids(7));
  });

  test('an empty queue is waited on, and the message that comes is delivered at once', async () => {
    const { workLoop, queue, server, settle } = createCore();
    workLoop.start();
    await settle();
    expect(queue.asked).toEqual(['exchange [] want 4', 'claimBlocking']);
    queue.push(...pushed('a'));
    await settle();
    expect(server.ids).toEqual(['a']);
    // it asks for more at once: where one came, others may have come
    expect(queue.asked.slice(2)).toEqual(['exchange [] want 3', 'claimBlocking']);
  });

  test('the wait for a message holds a slot', async () => {
    const { workLoop, queue, server, settle } = createCore({ concurrency: 2 });
    queue.push(...pushed('a'));
    workLoop.start();
    await settle();
    expect(queue.asked).toEqual(['exchange [] want 2', 'claimBlocking']);
    server.post('a').answer(DELIVERED);
    await settle();
    expect(queue.asked.at(-1)).toBe('exchange [ack a] want 1');
  });

  test('with suspects about nothing is waited on: the queue is asked ten times a second', async () => {
    const { workLoop, queue, clock } = createCore();
    queue.always({ kind: 'done', suspects: true });
    workLoop.start();
    await clock.advance(1_000);
    expect(new Set(queue.asked)).toEqual(new Set(['exchange [] want 4']));
    expect(queue.asked.length).toBe(11);
  });

  test('with a rate nothing is waited on: an empty queue is asked ten times a second, one that is held when a token comes', async () => {
    const { workLoop, queue, clock } = createCore({}, { mainServer: { maxRate: 5 } });
    workLoop.start();
    await clock.advance(1_000);
    expect(new Set(queue.asked)).toEqual(new Set(['exchange [] want 4']));
    expect(queue.asked.length).toBe(11);
    queue.push(...pushed(...ids(3)));
    queue.always({ kind: 'done', tokenInMs: 200 });
    await clock.advance(1_000);
    expect(queue.asked.length).toBe(16);
    // what is held proves nothing
    expect(workLoop.facts.consumedAt).toBe(1_000);
  });

  test('with a cap nothing is claimed before this worker has its part, nor more than that', async () => {
    const { workLoop, queue, server, fleet, clock, settle } = createCore({}, { mainServer: { maxInFlight: 9 } });
    const allot = (limit: number) => {
      const report = fleet.report(clock.now())!;
      fleet.allotted(report, { limit, share: limit, members: 3 });
      return report;
    };
    queue.push(...pushed(...ids(5)));
    workLoop.start();
    await clock.advance(1_000);
    expect(queue.asked).toEqual([]);
    allot(3);
    await settle();
    expect(server.ids).toEqual(ids(3));
    // its part becomes smaller: what is in flight goes on, and is said to be
    await clock.advance(4_000);
    allot(1);
    await clock.advance(500);
    server.post('m1').answer(DELIVERED);
    await settle();
    expect(server.ids).toEqual(ids(3));
    expect(allot(1)).toMatchObject({ held: 2 });
    for (const id of ['m2', 'm3']) server.post(id).answer(DELIVERED);
    await settle();
    expect(server.ids).toEqual(ids(4));
  });

  test('a message that killed its process before is delivered alone', async () => {
    const { workLoop, queue, server, clock, settle } = createCore();
    queue.push(...pushed('suspect', 'innocent'));
    queue.next({ kind: 'done', solo: true, suspects: true });
    workLoop.start();
    await clock.advance(5_000);
    expect(server.ids).toEqual(['suspect']);
    server.post('suspect').answer(DELIVERED);
    await settle();
    expect(server.ids).toEqual(['suspect', 'innocent']);
  });

  test('knows when it consumed last', async () => {
    const { workLoop, clock } = createCore();
    expect(workLoop.facts.consumedAt).toBeUndefined();
    workLoop.start();
    await clock.advance(10_000);
    // a blocking claim ends every two seconds, and proves the queue empty
    expect(workLoop.facts.consumedAt).toBe(10_000);
  });
});

describe('settling', () => {
  test('large messages are settled one by one, and none is claimed into the slots that they hold', async () => {
    const { workLoop, queue, server, settle } = createCore({ concurrency: 3 });
    const large = ids(3).map((id) => JSON.stringify({ message_id: id, text: 'x'.repeat(600_000) }));
    queue.push(...large, ...pushed('m4', 'm5', 'm6'));
    workLoop.start();
    await settle();
    const before = queue.asked.length;
    for (const id of ids(3)) server.post(id).answer(DELIVERED);
    await settle();
    expect(queue.asked.slice(before)).toEqual([
      'exchange [ack m1] want 3',
      'exchange [ack m2] want 0',
      'exchange [ack m3] want 0',
    ]);
  });

  test('a queue that hands nothing out is said; what is settled is settled', async () => {
    const { workLoop, queue, server, log, settle } = createCore();
    queue.push(...pushed('m1'));
    workLoop.start();
    await settle();
    queue.next({ kind: 'done', claimRefusal: 'WRONGTYPE (RPOPLPUSH message_queue)' });
    server.post('m1').answer(DELIVERED);
    await settle();
    expect(log.lines).toContain('ERROR Redis refuses to hand out a message: WRONGTYPE (RPOPLPUSH message_queue)');
    expect(queue.processing).toEqual([]);
    expect(log.count(/not ours any more/)).toBe(0);
  });

  test('what finished together is settled together, and claims as many in the same exchange', async () => {
    const { workLoop, queue, server, settle } = createCore();
    queue.push(...pushed(...ids(6)));
    workLoop.start();
    await settle();
    const before = queue.asked.length;
    for (const id of ids(4)) server.post(id).answer(DELIVERED);
    await settle();
    expect(queue.asked[before]).toBe('exchange [ack m1, ack m2, ack m3, ack m4] want 4');
    expect(queue.processing.map(({ raw }) => raw.toString())).toEqual(pushed('m6', 'm5'));
  });

  test('what ends while an exchange is under way waits for the next', async () => {
    const { workLoop, queue, server, settle } = createCore();
    queue.push(...pushed(...ids(4)));
    workLoop.start();
    await settle();
    const before = queue.asked.length;
    const release = queue.hold();
    server.post('m1').answer(DELIVERED);
    await settle();
    for (const id of ['m2', 'm3']) server.post(id).answer(DELIVERED);
    await settle();
    expect(queue.asked.length).toBe(before + 1);
    release();
    await settle();
    expect(queue.asked.slice(before, before + 2)).toEqual([
      'exchange [ack m1] want 1',
      'exchange [ack m2, ack m3] want 3',
    ]);
  });

  test('refused ones keep their slots, are tried twice a second and said every 10 s', async () => {
    const { workLoop, queue, server, clock, log, settle } = createCore({ concurrency: 2 });
    queue.push(...pushed(...ids(4)));
    queue.next({ kind: 'done' });
    queue.always({ kind: 'refuses-settlements', reason: 'OOM' });
    workLoop.start();
    await settle();
    for (const id of ['m1', 'm2']) server.post(id).answer(DELIVERED);
    await settle();
    // the exchange that was refused claimed two more, and after that there is no room
    expect(server.ids).toEqual(ids(4));
    for (const id of ['m3', 'm4']) server.post(id).answer(DELIVERED);
    await settle();
    expect(queue.requests.slice(1).map(({ want }) => want)).toEqual([2, 0]);

    const from = queue.asked.length;
    await clock.advance(9_900);
    expect(queue.asked.slice(from).length).toBe(19);
    expect(new Set(queue.asked.slice(from))).toEqual(new Set(['exchange [ack m1, ack m2, ack m3, ack m4] want 0']));
    expect(log.count(/refuses to settle a message: OOM/)).toBe(1);
    await clock.advance(500);
    expect(log.count(/refuses to settle/)).toBe(2);

    queue.always({ kind: 'done' });
    await clock.advance(500);
    expect(queue.processing).toEqual([]);
    expect(queue.asked.at(-1)).toBe('claimBlocking');
  });

  test('refused ones that Redis has forgotten when it is back hold no slot any more', async () => {
    const { workLoop, queue, server, clock, settle } = createCore({ concurrency: 2 });
    queue.push(...pushed(...ids(2)));
    queue.next({ kind: 'done' });
    queue.always({ kind: 'refuses-settlements', reason: 'MISCONF' });
    workLoop.start();
    await settle();
    for (const id of ids(2)) server.post(id).answer(DELIVERED);
    await clock.advance(1_000);
    queue.goAway();
    queue.processing.splice(0);
    queue.always({ kind: 'done' });
    await clock.advance(1_000);
    queue.comeBack();
    await clock.advance(1_000);
    queue.push(...pushed('m9'));
    await clock.advance(1_000);
    expect(server.ids).toEqual([...ids(2), 'm9']);
  });

  test('a message that others recovered meanwhile is counted as lost, and nobody is told of it', async () => {
    const { workLoop, queue, server, log, metric, metrics, settle } = createCore();
    queue.push(...pushed('a', 'b', 'c'));
    workLoop.start();
    await settle();
    queue.next({ kind: 'loses-settlements' });
    for (const id of ['a', 'b']) server.post(id).answer(FAILED);
    await settle();
    expect(await metric('worker_claims_lost_total')).toBe(2);
    expect(log.lines).toContain('WARNING 2 message(s) were not ours any more when they were done');
    expect(server.puts).toEqual([]);
    expect(await totals(metrics)).toMatchObject({ failed: 2, retried: 0 });
  });

  test('of a failed attempt the main server is told once it is put down for a retry, not before', async () => {
    const { workLoop, queue, server, metrics, settle } = createCore();
    queue.push(...pushed('a'));
    workLoop.start();
    await settle();
    const release = queue.hold();
    server.post('a').answer(FAILED);
    await settle();
    expect(queue.retrying).toEqual([{ message: message('a', { attempt_count: 1 }), delayMs: 30_000 }]);
    expect(server.puts).toEqual([]);
    release();
    await settle();
    expect(server.puts).toMatchObject([
      { id: 'a', update: { status: 'queued', attemptCount: 1, errorMessage: 'HTTP 500' }, deadlineMs: 10_000 },
    ]);
    expect(await totals(metrics)).toMatchObject({ failed: 1, retried: 1 });
  });
});

describe('a second copy of an id', () => {
  const copy = (number: number) => message('a', { copy: number });

  test('waits until the first is settled', async () => {
    const { workLoop, queue, server, settle } = createCore();
    queue.push(copy(1), copy(2), copy(3), message('b'));
    workLoop.start();
    await settle();
    expect(server.ids).toEqual(['a', 'b']);
    const release = queue.hold();
    server.post('a').answer(DELIVERED);
    await settle();
    expect(server.ids).toEqual(['a', 'b']);
    release();
    await settle();
    expect(server.ids).toEqual(['a', 'b', 'a']);
    server.post('a').answer(DELIVERED);
    await settle();
    expect(server.ids).toEqual(['a', 'b', 'a', 'a']);
  });

  test('has the first one not told: what is true is told by the last', async () => {
    const { workLoop, queue, server, settle } = createCore();
    queue.push(copy(1), copy(2));
    workLoop.start();
    await settle();
    server.post('a').answer(FAILED);
    await settle();
    expect(server.ids).toEqual(['a', 'a']);
    expect(server.puts).toEqual([]);
    server.post('a').answer(FAILED);
    await settle();
    expect(server.puts).toHaveLength(1);
    expect(queue.retrying).toHaveLength(2);
  });

  test('does not wait behind the statuses of others: the first one is not even to be told', async () => {
    const { workLoop, queue, server, settle } = createCore({ concurrency: 4 });
    queue.push(...pushed('b', 'c'));
    workLoop.start();
    await settle();
    for (const id of ['b', 'c']) server.post(id).answer(FAILED);
    await settle();
    expect(server.puts.map(({ id }) => id)).toEqual(['b', 'c']);
    queue.push(copy(1), copy(2));
    await settle();
    server.post('a').answer(FAILED);
    await settle();
    expect(server.ids).toEqual(['b', 'c', 'a', 'a']);
  });

  test('that comes while the first is being told waits for the end of that', async () => {
    const { workLoop, queue, server, settle } = createCore();
    queue.push(copy(1));
    workLoop.start();
    await settle();
    server.post('a').answer(FAILED);
    await settle();
    expect(server.puts).toHaveLength(1);
    queue.push(copy(2));
    await settle();
    expect(server.ids).toEqual(['a']);
    server.puts[0]?.answer(DELIVERED);
    await settle();
    expect(server.ids).toEqual(['a', 'a']);
  });

  test('whose attempts are spent is not declared failed beside the POST of the first', async () => {
    const { workLoop, queue, server, settle } = createCore({ maxAttempts: 2 });
    queue.push(copy(1), message('a', { attempt_count: 2 }));
    workLoop.start();
    await settle();
    expect(server.puts).toEqual([]);
    server.post('a').answer(DELIVERED);
    await settle();
    expect(server.puts).toMatchObject([{ update: { status: 'failed' } }]);
  });

  test('takes no slots but one: others flow, and never more than there are slots', async () => {
    const { workLoop, queue, server, settle } = createCore({ concurrency: 3, batchSize: 10 });
    queue.push(...[1, 2, 3, 4, 5, 6].map(copy), ...pushed(...ids(4)));
    workLoop.start();
    await settle();
    expect(server.ids).toEqual(['a', 'm1']);
    server.post('m1').answer(DELIVERED);
    await settle();
    expect(server.ids).toEqual(['a', 'm1', 'm2']);
    server.post('a').answer(DELIVERED);
    await settle();
    expect(server.ids).toEqual(['a', 'm1', 'm2', 'm3', 'a']);
  });

  test('is claimed beyond the slots up to a batch, not without end', async () => {
    const { workLoop, queue, server, settle } = createCore({ concurrency: 4, batchSize: 3 });
    queue.push(...Array.from({ length: 20 }, (_, number) => copy(number)));
    workLoop.start();
    await settle();
    expect(server.ids).toEqual(['a']);
    expect(queue.processing).toHaveLength(7);
  });

  test('goes back untouched at a kill, and is free for the next', async () => {
    const { workLoop, queue, server, clock, settle } = createCore();
    queue.push(copy(1), copy(2));
    workLoop.start();
    await settle();
    workLoop.kill();
    const ended = workLoop.drain(1_000);
    await clock.advance(1_000);
    await ended;
    expect(server.ids).toEqual(['a']);
    expect(queue.waiting).toHaveLength(2);
  });

  test('is delivered when the first was lost to others, or is found settled by an audit', async () => {
    const { workLoop, queue, server, clock, settle } = createCore();
    queue.push(copy(1), copy(2), copy(3));
    workLoop.start();
    await settle();
    queue.next({ kind: 'loses-settlements' });
    server.post('a').answer(DELIVERED);
    await settle();
    expect(server.ids).toEqual(['a', 'a']);
    queue.next({ kind: 'no-reply', done: true });
    server.post('a').answer(DELIVERED);
    await clock.advance(500);
    expect(server.ids).toEqual(['a', 'a', 'a']);
  });
});

describe('a lost reply', () => {
  test('to a settlement that was done: found settled, not told, not counted as lost', async () => {
    const { workLoop, queue, server, clock, metrics, metric, settle } = createCore();
    queue.push(...pushed('a', 'b', 'held'));
    workLoop.start();
    await settle();
    queue.next({ kind: 'no-reply', done: true });
    const from = queue.asked.length;
    for (const id of ['a', 'b']) server.post(id).answer(FAILED);
    await clock.advance(500);
    expect(queue.asked.slice(from)).toEqual([
      'exchange [retry a, retry b] want 0',
      'unblock',
      'reconcile [held, a, b]',
      'exchange [] want 3',
      'claimBlocking',
    ]);
    expect(queue.retrying).toHaveLength(2);
    expect(server.puts).toEqual([]);
    expect(await totals(metrics)).toMatchObject({ failed: 2, retried: 2 });
    expect(await metric('worker_claims_lost_total')).toBe(0);
  });

  test('to a settlement that was not done: it is settled after all', async () => {
    const { workLoop, queue, server, clock, settle } = createCore();
    queue.push(...pushed('a'));
    workLoop.start();
    await settle();
    queue.next({ kind: 'no-reply', done: false });
    server.post('a').answer(FAILED);
    await clock.advance(500);
    expect(queue.asked.filter((asked) => asked.includes('retry a'))).toHaveLength(2);
    expect(queue.retrying).toHaveLength(1);
    expect(server.puts).toHaveLength(1);
  });

  test('to a claim: what we do not know of goes back, the oldest to be claimed first, and is delivered', async () => {
    const { workLoop, queue, server, clock, log } = createCore();
    queue.push(...pushed('a', 'b'));
    queue.next({ kind: 'no-reply', done: true });
    workLoop.start();
    await clock.advance(500);
    expect(log.lines).toContain('WARNING 2 message(s) were claimed without our knowing; handed back to the queue');
    expect(server.ids).toEqual(['a', 'b']);
  });

  test('and what we hold recovered by others: lost when it ends', async () => {
    const { workLoop, queue, server, metric, settle, clock } = createCore();
    queue.push(...pushed('a'));
    workLoop.start();
    await settle();
    queue.goAway();
    await settle();
    queue.recoverAll();
    server.post('a').answer(FAILED);
    queue.comeBack();
    await clock.advance(500);
    expect(await metric('worker_claims_lost_total')).toBe(1);
    expect(queue.asked.join()).not.toContain('retry a');
    expect(server.puts).toEqual([]);
    // and it is delivered again, as anybody's
    expect(server.ids).toEqual(['a', 'a']);
  });

  test('without any, what we hold is compared once a minute all the same', async () => {
    const { workLoop, queue, clock } = createCore();
    workLoop.start();
    await clock.advance(59_000);
    expect(queue.asked).not.toContain('reconcile []');
    await clock.advance(2_000);
    expect(queue.asked.filter((asked) => asked === 'reconcile []')).toHaveLength(1);
    await clock.advance(61_000);
    expect(queue.asked.filter((asked) => asked === 'reconcile []')).toHaveLength(2);
  });
});

describe('a Redis that refuses', () => {
  test('is left alone for half a second, and said once in 10 s', async () => {
    const { workLoop, queue, clock, log, settle } = createCore();
    queue.always({ kind: 'refuses', reason: 'Redis refuses a command: READONLY' });
    workLoop.start();
    await settle();
    expect(queue.asked).toEqual(['exchange [] want 4']);
    await clock.advance(499);
    expect(queue.asked).toHaveLength(1);
    await clock.advance(1);
    expect(queue.asked).toHaveLength(2);
    await clock.advance(9_499);
    expect(log.lines).toEqual(['ERROR Redis refuses a command: READONLY']);
    await clock.advance(1);
    expect(log.count(/READONLY/)).toBe(2);
    expect(queue.asked).toHaveLength(21);
  });

  test('only to wait for messages: it is asked for them instead', async () => {
    const { workLoop, queue, server, clock, settle } = createCore();
    queue.refuseBlocking('Redis refuses a command: OOM');
    workLoop.start();
    await settle();
    queue.push(...pushed('back from retry'));
    await clock.advance(500);
    expect(server.ids).toEqual(['back from retry']);
    queue.refuseBlocking(undefined);
    await clock.advance(500);
    expect(queue.asked.at(-1)).toBe('claimBlocking');
  });

  test('what ends meanwhile is settled afterwards, together', async () => {
    const { workLoop, queue, server, clock, settle } = createCore();
    queue.push(...pushed('a', 'b'));
    workLoop.start();
    await settle();
    queue.next({ kind: 'refuses', reason: 'MISCONF' });
    server.post('a').answer(DELIVERED);
    await clock.advance(400);
    server.post('b').answer(DELIVERED);
    await clock.advance(99);
    expect(queue.processing).toHaveLength(2);
    await clock.advance(500);
    expect(queue.asked).toContain('exchange [ack a, ack b] want 3');
    expect(queue.processing).toEqual([]);
  });
});

describe('a Redis that is away', () => {
  test('the loop goes on turning, and compares before it claims again', async () => {
    const { workLoop, queue, clock, turns, settle } = createCore({ concurrency: 1 });
    queue.push(...pushed('held'));
    workLoop.start();
    await settle();
    expect(queue.asked).toEqual(['exchange [] want 1']);
    queue.goAway();
    await settle();
    const before = { turns: turns(), asked: queue.asked.length };
    await clock.advance(5_000);
    expect(turns() - before.turns).toBeGreaterThanOrEqual(10);
    expect(queue.asked.length).toBe(before.asked);
    queue.comeBack();
    await settle();
    expect(queue.asked.slice(before.asked)).toEqual(['reconcile [held]']);
  });
});

test('a loop that waits for the end of a long exchange still shows that it lives', async () => {
  const { workLoop, queue, clock, turns } = createCore();
  const release = queue.hold();
  queue.push(...pushed('a'));
  workLoop.start();
  await clock.settle();
  const before = turns();
  await clock.advance(60_000);
  expect(turns() - before).toBeGreaterThanOrEqual(60);
  expect(queue.requests).toHaveLength(1);
  release();
});
