import { describe, expect, test } from 'vitest';
import type { RedisFacts } from '../../../../src/queue/message-queue.js';
import { RedisUnavailableError, UnusableRedisError } from '../../../../src/shared/errors.js';
import { RedisWatch } from '../../../../src/worker/redis-watch.js';
import { testConfig } from '../../../support/program/config.js';
import { recordedLog } from '../../../support/recorded-log.js';
import { ScriptedQueue } from '../../../support/redis/scripted-queue.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

const GOOD: RedisFacts = { version: '7.0.15', evictionPolicy: 'noeviction', tells: true };
const TOO_OLD = new UnusableRedisError('Redis at 127.0.0.1:6379 is version 4.0.9; version 5.0 or newer is needed');

/** A Redis that says `facts` of itself, or fails so, one after the other; the last for ever. */
function stage(...facts: (RedisFacts | Error)[]) {
  const clock = new VirtualClock();
  const log = recordedLog();
  const shown: [string, boolean][] = [];
  const consumers: string[] = [];
  const connection = new ScriptedQueue(clock);
  let asked = 0;
  const queue = {
    isReady: () => connection.isReady(),
    whenReady: (timeoutMs: number) => connection.whenReady(timeoutMs),
    inspect: async () => {
      const said = facts[Math.min(asked++, facts.length - 1)] ?? GOOD;
      if (said instanceof Error) throw said;
      return said;
    },
  };
  const watch = new RedisWatch({
    redis: testConfig({ redis: { port: 6379 } }).redis,
    workerId: 'worker-1',
    metrics: {
      setRedisUp: (up) => void shown.push(['up', up]),
      setEvictionSafe: (safe) => void shown.push(['safe', safe]),
    },
    clock,
    log,
    onConsumer: (consumer) => void consumers.push(consumer),
  });
  return { clock, log, shown, consumers, connection, queue, watch, asked: () => asked };
}

describe('at boot', () => {
  test('a Redis that answers is asked what it is', async () => {
    const { watch, queue, shown, log } = stage(GOOD);
    expect(await watch.reach(queue, 10_000)).toBe(true);
    expect(shown).toEqual([['safe', true]]);
    expect(log.lines).toEqual([]);
  });

  test.each([
    ['', true],
    ['noeviction', true],
    ['allkeys-lru', false],
  ])('the eviction policy "%s" is safe: %s', async (evictionPolicy, safe) => {
    const { watch, queue, shown, log } = stage({ version: '7.0.15', evictionPolicy, tells: true });
    await watch.reach(queue, 10_000);
    expect(shown).toEqual([['safe', safe]]);
    expect(log.count(/^WARNING Redis at 127.0.0.1:6379 has maxmemory-policy allkeys-lru/)).toBe(safe ? 0 : 1);
  });

  test('one that does not answer INFO is one WARNING, however often it is asked', async () => {
    const { watch, queue, shown, log } = stage({ version: '', evictionPolicy: '', tells: false });
    expect(await watch.reach(queue, 10_000)).toBe(true);
    expect(await watch.reach(queue, 10_000)).toBe(true);
    watch.noteEvictionPolicy(undefined);
    expect(shown.at(-1)).toEqual(['safe', true]);
    expect(log.lines).toEqual([
      expect.stringMatching(
        /^WARNING Redis at 127\.0\.0\.1:6379 does not answer INFO: .* let REDIS_USERNAME call INFO$/,
      ),
    ]);
  });

  test('one that is too old is for the caller to refuse', async () => {
    const { watch, queue } = stage(TOO_OLD);
    await expect(watch.reach(queue, 10_000)).rejects.toBe(TOO_OLD);
  });

  test('one that does not answer in time is asked as soon as it does', async () => {
    const { watch, queue, connection, clock, shown, asked } = stage(GOOD);
    connection.goAway();
    let reached: boolean | undefined;
    void watch.reach(queue, 10_000).then((value) => (reached = value));
    await clock.advance(9_999);
    expect(reached).toBeUndefined();
    await clock.advance(1);
    expect([reached, asked()]).toEqual([false, 0]);
    connection.comeBack();
    watch.onConnected();
    await clock.settle();
    expect(shown).toEqual([
      ['up', true],
      ['safe', true],
    ]);
    watch.onConnected();
    await clock.settle();
    expect(asked()).toBe(1);
  });

  test('one that is lost while it is asked, too', async () => {
    const { watch, queue, clock, asked } = stage(new RedisUnavailableError('lost', true), GOOD);
    expect(await watch.reach(queue, 10_000)).toBe(false);
    watch.onConnected();
    await clock.settle();
    expect(asked()).toBe(2);
  });

  test('one that turns out too old only later is an ERROR, and nothing more', async () => {
    const { watch, queue, connection, clock, log } = stage(TOO_OLD);
    connection.goAway();
    const reached = watch.reach(queue, 100);
    await clock.advance(100);
    expect(await reached).toBe(false);
    watch.onConnected();
    await clock.settle();
    expect(log.lines.at(-1)).toBe(`ERROR ${TOO_OLD.message}`);
  });
});

describe('later', () => {
  test('the eviction policy is said when it becomes unsafe and when it is safe again, not at each look', async () => {
    const { watch, queue, log, shown } = stage(GOOD);
    await watch.reach(queue, 10_000);
    for (const policy of ['noeviction', 'allkeys-lru', 'allkeys-lru', undefined, 'noeviction', 'noeviction']) {
      watch.noteEvictionPolicy(policy);
    }
    expect(shown.map(([, safe]) => safe)).toEqual([true, true, false, false, false, true, true]);
    expect(log.lines).toEqual([
      'WARNING Redis at 127.0.0.1:6379 has maxmemory-policy allkeys-lru, which can delete the queue; set it to noeviction',
      'INFO Redis at 127.0.0.1:6379 has maxmemory-policy noeviction now, which is right',
    ]);
  });

  test('an outage is said at its begin and, with its length, at its end', async () => {
    const { watch, clock, log, shown } = stage();
    watch.onConnected();
    watch.onDisconnected('Cannot connect to Redis at 127.0.0.1:6379: the connection was lost');
    expect(watch.problem).toBe('Cannot connect to Redis at 127.0.0.1:6379: the connection was lost');
    await clock.advance(3_240);
    watch.onConnected();
    expect(watch.problem).toBeUndefined();
    expect(log.lines).toEqual([
      'INFO Connected to Redis at 127.0.0.1:6379',
      'ERROR Cannot connect to Redis at 127.0.0.1:6379: the connection was lost',
      'INFO Connected to Redis at 127.0.0.1:6379 after 3.2 s',
    ]);
    expect(shown.map(([, up]) => up)).toEqual([true, false, true]);
  });

  test('a lost lease is said, and the primary learns the new name', () => {
    const { watch, log, consumers } = stage();
    watch.onLeaseLost('worker-1@host/1.n-1');
    expect(consumers).toEqual(['worker-1@host/1.n-1']);
    expect(log.lines[0]).toMatch(/^WARNING Worker worker-1 lost its lease: .* going on as worker-1@host\/1\.n-1$/);
  });
});
