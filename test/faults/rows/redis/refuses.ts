/** Row 20: Redis is there, and refuses what it is asked. */
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { plainClient } from '../../../support/redis/redis.js';
import { waitFor } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import { pidsOf, type Stage } from '../../support/stage.js';
import { consumesAgain, loaded, SETTINGS } from './under-load.js';

/** 2 ms for each key; connections are answered between pieces of 1 KiB. */
const LOADS_SLOWLY = ['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024'];

export const REFUSING_REDIS_ROWS: readonly Row[] = [
  {
    id: '20c',
    fault: 'READONLY: Redis made a replica for 4 s under load, then master again',
    bound: 'every worker consumes < 3 s after it is master, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: readOnly,
  },
  {
    id: '20d',
    fault: 'BUSY: a script of somebody else runs for 4 s',
    bound: 'every worker consumes < 3 s after it ends, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: busy,
  },
  {
    id: '20e',
    fault: 'MISCONF: Redis cannot save and refuses writes',
    bound: 'every worker consumes < 3 s after it can, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: misconfigured,
  },
  {
    id: '20f',
    fault: '-UNBLOCKED: Redis made a replica for 2 s while the workers block in a pop, then master again',
    bound: 'every worker consumes < 3 s after it is master, 0 dup',
    limits: { recoveryMs: 3_000 },
    run: unblocked,
  },
  {
    id: '20g',
    fault: '-LOADING: Redis killed under load, and its file takes 4 s to load',
    bound: 'every worker consumes < 2 s after PONG, 0 dup',
    limits: { recoveryMs: 2_000 },
    redis: { appendonly: true, args: ['--appendfsync', 'always', ...LOADS_SLOWLY] },
    run: loading,
  },
  {
    id: '20h',
    fault: "password of the worker's Redis user changed under load, its connections cut; mended by .env and SIGHUP",
    bound:
      'the log names REDIS_PASSWORD and shows none, every worker consumes < 10 s after SIGHUP; dup ≤ N·C (8): the old processes cannot acknowledge any more',
    limits: { recoveryMs: 10_000, duplicates: 8 },
    run: otherPassword,
  },
];

async function readOnly(stage: Stage): Promise<Findings> {
  await loaded(stage, 2_000);
  await stage.client.replicaof('127.0.0.1', 1);
  await sleep(1_000);
  await stage.expectStandstill(3_000);
  await stage.client.replicaof('NO', 'ONE');
  return consumesAgain(stage);
}

/** A pop that blocks is answered -UNBLOCKED when its server becomes a replica. */
async function unblocked(stage: Stage): Promise<Findings> {
  const fleet = await stage.start(SETTINGS);
  await fleet.ready(2);
  const pids = await pidsOf(fleet);
  const isBlocked = async () => (await stage.client.info('clients')).includes('blocked_clients:2');
  await waitFor(isBlocked, { what: 'both workers to block' });
  await stage.client.replicaof('127.0.0.1', 1);
  const answered = async () => (await stage.client.info('errorstats')).includes('errorstat_UNBLOCKED');
  await waitFor(answered, { what: 'the answer -UNBLOCKED' });
  await sleep(2_000);
  await stage.client.replicaof('NO', 'ONE');
  stage.server.faults.post.delayMs = 50;
  await stage.ledger.produce(200);
  const findings = await consumesAgain(stage);
  stage.expect(String(await pidsOf(fleet)) === String(pids), 'a worker has died');
  return findings;
}

/** Its file has 2,000 keys more than the queue's, each of which takes it 2 ms. */
async function loading(stage: Stage): Promise<Findings> {
  await loaded(stage, 2_000);
  const many = Array.from({ length: 2_000 }, (_, number) => [`filler:${number}`, 'x']).flat();
  await stage.client.mset(...many);
  await stage.client.bgrewriteaof();
  const isRewritten = async () => (await stage.client.info('persistence')).includes('aof_rewrite_in_progress:0');
  await waitFor(isRewritten, { what: 'one file of all keys' });
  await stage.redis.kill();
  const back = stage.redis.restart(); // until it is PONG that answers
  let refusals = 0;
  for (let over = false; !over;) {
    over = await Promise.race([back.then(() => true), sleep(50).then(() => false)]);
    if (await answersLoading(stage.redis.port)) refusals++;
  }
  stage.expect(refusals >= 5, `-LOADING was answered ${refusals} times only`);
  return consumesAgain(stage);
}

/** By a connection of its own: a client of ours would wait until it is over. */
function answersLoading(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'));
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => finish(data.toString().startsWith('-LOADING')));
    socket.once('error', () => finish(false));
  });
}

async function busy(stage: Stage): Promise<Findings> {
  await loaded(stage, 2_000);
  const other = plainClient(stage.redis.port);
  stage.onClose(async () => other.disconnect());
  await stage.client.config('SET', 'lua-time-limit', '200');
  const endless = other.eval('while true do end', 0).catch(() => undefined);
  await sleep(1_000);
  await stage.expectStandstill(3_000);
  await stage.client.script('KILL');
  await endless;
  return consumesAgain(stage);
}

/** A folder in the place of the dump makes every save fail. */
async function misconfigured(stage: Stage): Promise<Findings> {
  mkdirSync(join(stage.redis.directory, 'dump.rdb', 'in-the-way'), { recursive: true });
  await loaded(stage, 2_000);
  await stage.client.config('SET', 'save', '3600 1');
  await stage.client.bgsave();
  const isFailed = async () => (await stage.client.info('persistence')).includes('rdb_last_bgsave_status:err');
  await waitFor(isFailed, { what: 'a failed save' });
  await sleep(1_000);
  await stage.expectStandstill(2_000);
  await stage.client.config('SET', 'save', '');
  return consumesAgain(stage);
}

/** Connections that are open stay let in, so all are cut, as a restart would. */
async function otherPassword(stage: Stage): Promise<Findings> {
  const settings = { ...SETTINGS, REDIS_USERNAME: 'mbw', REDIS_PASSWORD: 'first-secret' };
  await stage.client.call('ACL', 'SETUSER', 'mbw', 'on', '>first-secret', '~*', '+@all');
  const fleet = await stage.start(settings);
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  await stage.ledger.produce(1_500);
  await waitFor(() => stage.server.ledger.posts > 50, { what: 'load' });
  await stage.client.call('ACL', 'SETUSER', 'mbw', 'resetpass', '>second-secret');
  await stage.client.call('CLIENT', 'KILL', 'USER', 'mbw');
  await sleep(1_000);
  await stage.expectStandstill(2_000);
  const said = /the password is refused \(see REDIS_PASSWORD, REDIS_USERNAME\)/.test(fleet.logged());
  stage.expect(said, 'the log does not name REDIS_PASSWORD');
  stage.expect(!/first-secret|second-secret/.test(fleet.logged()), 'a password is in the log');
  fleet.configure({ ...settings, REDIS_PASSWORD: 'second-secret' });
  fleet.program.signal('SIGHUP');
  return consumesAgain(stage);
}
