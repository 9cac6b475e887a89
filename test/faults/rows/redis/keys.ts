/** What others do to our keys, and what Redis forbids. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../../../support/program/fleet.js';
import { waitFor } from '../../../support/wait-for.js';
import { pidsOf, sendSignal, type Stage } from '../../support/stage.js';
import type { Findings, Row } from '../../support/row.js';
import { startStrictRedis } from '../../support/redis/strict-redis.js';

const SETTINGS = { WORKER_COUNT: 2, WORKER_CONCURRENCY: 4, WORKER_RETRY_INTERVAL: 1 };
/** In each place where a message may lie. */
const FOREIGN = ['oops', '{"no":"message"}', 'a b:c', ''];

export const KEY_ROWS: readonly Row[] = [
  {
    id: '36a',
    fault:
      'members and entries of others in the queue, the retries, the claims, the consumers and the crashes, a fifth fails at first',
    bound: '0 lost, 0 dup, what is foreign is among the dead byte for byte, said ≤ 10 s',
    limits: { dead: 3 * FOREIGN.length },
    run: foreignEntries,
  },
  {
    id: '36b',
    fault: 'each key of another type for a while',
    bound: '0 lost, 0 dup, the key is named ≤ 12 s; with the retries or the dead list of another type the rest flows',
    run: foreignTypes,
  },
  {
    id: '37',
    fault: 'each command of Redis forbidden in turn (ACL), a fifth fails at first',
    bound: '0 lost, 0 dup, the command is named ≤ 12 s',
    run: forbidden,
  },
  {
    id: '38a',
    fault: 'client-output-buffer-limit normal 256kb, messages of 100 KB',
    bound: '0 lost, 0 dup, all delivered',
    redis: { args: ['--client-output-buffer-limit', 'normal 256kb 64kb 60'] },
    run: smallOutputBuffers,
  },
  {
    id: '42',
    fault: 'a server that refuses undeclared keys in scripts, a fifth fails at first, a worker is killed',
    bound: '0 lost, ≤ C dup, all four places are counted, recovery ≤ 15 s',
    limits: { duplicates: 4 },
    run: declaredKeysOnly,
  },
];

async function loaded(stage: Stage, env: Record<string, string | number> = {}): Promise<Fleet> {
  const fleet = await stage.start({ ...SETTINGS, ...env });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 10;
  return fleet;
}

function failAFifth(stage: Stage): void {
  let posts = 0;
  stage.server.onPost = () => {
    stage.server.faults.post.failStatus = 500;
    stage.server.faults.post.failRate = posts++ % 5 === 0 ? 1 : 0;
  };
}

async function foreignEntries(stage: Stage): Promise<Findings> {
  const { keys, client } = stage;
  const fleet = await loaded(stage);
  failAFifth(stage);
  const load = stage.load(100);
  await sleep(1_000);
  const [consumer = ''] = await client.zrange(keys.consumers, '0', '-1');
  await client.lpush(keys.queue, ...FOREIGN);
  await client.rpush(keys.processing(consumer), ...FOREIGN);
  for (const [at, member] of FOREIGN.entries()) await client.zadd(keys.retry, at % 2 === 0 ? 1 : 9e15, member);
  await client.zadd(keys.consumers, '5', 'x', 'inf', 'y', '-inf', 'z', '7', '');
  await client.set(keys.processing('x'), 'no list');
  await client.hset(keys.crashes, 'not a hash', 'not a number', '0'.repeat(40), '-1');
  const isSaid = () => fleet.logged().includes(`of ${keys.retry} that no worker has written`);
  try {
    await waitFor(isSaid, { what: 'the foreign members to be said', deadlineMs: 10_000 });
    // a list is compared with what its worker holds once a minute
    await sleep(1_000);
    for (const pid of await pidsOf(fleet)) sendSignal(pid, 'SIGTERM');
    await sleep(3_000);
  } finally {
    await load.stop();
    // the account reads every list
    await client.del(keys.processing('x'));
  }
  return {};
}

async function foreignTypes(stage: Stage): Promise<Findings> {
  const { keys, client } = stage;
  const fleet = await loaded(stage);
  failAFifth(stage);
  const load = stage.load(50);
  await sleep(1_000);
  for (const key of [keys.retry, keys.dead, keys.crashes, keys.consumers, keys.queue]) {
    const flows = key !== keys.queue && key !== keys.consumers;
    if (key === keys.queue) {
      await load.stop();
      await stage.ledger.produce(100);
    }
    const delivered = stage.server.ledger.delivered.size;
    const named = fleet.logged().split(key).length;
    await client.multi().rename(key, `${key}:aside`).exec();
    await client.set(key, 'of somebody else');
    const isNamed = () => fleet.logged().split(key).length > named;
    try {
      if (key === keys.retry || !flows) await waitFor(isNamed, { what: `${key} to be named`, deadlineMs: 12_000 });
      else await sleep(2_000);
      stage.expect(!flows || stage.server.ledger.delivered.size > delivered, `nothing flows beside ${key}`);
    } finally {
      await client.del(key);
      await client.rename(`${key}:aside`, key).catch(() => undefined);
    }
  }
  return {};
}

async function forbidden(stage: Stage): Promise<Findings> {
  const { client } = stage;
  await client.call('ACL', 'SETUSER', 'mbw', 'on', '>secret', '~*', '+@all');
  const fleet = await loaded(stage, { REDIS_USERNAME: 'mbw', REDIS_PASSWORD: 'secret' });
  failAFifth(stage);
  const load = stage.load(50);
  const commands = (
    'blmove lpush rpush rpop rpoplpush lrem llen lrange lindex lpos zadd zrem zcard zscore zrange zrangebyscore ' +
    'hget hdel hincrby exists expire time eval evalsha client info command'
  ).split(' ');
  for (const command of commands) {
    await client.call('ACL', 'SETUSER', 'mbw', `-${command}`);
    await sleep(700);
    await client.call('ACL', 'SETUSER', 'mbw', `+${command}`);
  }
  for (const command of ['LREM', 'RPOPLPUSH', 'ZADD']) {
    const before = fleet.logged().length;
    await client.call('ACL', 'SETUSER', 'mbw', `-${command}`);
    const isNamed = () => fleet.logged().slice(before).includes(command);
    await waitFor(isNamed, { what: `${command} to be named`, deadlineMs: 12_000 });
    await client.call('ACL', 'SETUSER', 'mbw', `+${command}`);
  }
  await load.stop();
  return {};
}

async function smallOutputBuffers(stage: Stage): Promise<Findings> {
  await loaded(stage, { WORKER_CONCURRENCY: 8 });
  for (let n = 0; n < 40; n += 1) {
    const id = `large-${n}`;
    await stage.ledger.produceRaw(id, JSON.stringify({ message_id: id, text: 'x'.repeat(100_000) }));
  }
  return {};
}

async function declaredKeysOnly(stage: Stage): Promise<Findings> {
  const strict = await startStrictRedis(stage.redis.port);
  stage.onClose(() => strict.close());
  const fleet = await loaded(stage, { REDIS_PORT: strict.port });
  failAFifth(stage);
  stage.server.faults.post.delayMs = 200;
  await stage.ledger.produce(150);
  await waitFor(async () => (await stage.client.zcard(stage.keys.retry)) > 0, { what: 'retries' });
  const inEveryPlace = ({ retrying, processing }: { retrying: number | null; processing: number | null }) =>
    (retrying ?? 0) > 0 && (processing ?? 0) > 0;
  await fleet.until('all places to be counted', ({ queue }) => inEveryPlace(queue));
  const [victim] = await pidsOf(fleet);
  sendSignal(victim, 'SIGKILL');
  stage.expect(strict.guarded > 3, 'no script was guarded');
  await waitFor(() => stage.server.ledger.delivered.size === 150, { what: 'all to be delivered', deadlineMs: 30_000 });
  stage.expect(!/undeclared key/.test(fleet.logged()), 'an undeclared key was used');
  return {};
}
