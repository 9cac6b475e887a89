import { BACKLOG_MESSAGES, backlogOf } from '../../src/shared/words/causes.js';
import { pausedBy } from '../../src/shared/words/paused.js';
import { readPause } from '../../src/domain/pause/pause.js';
import { parseMessage } from '../../src/domain/message.js';
import type { QueueSizes } from '../../src/queue/message-queue.js';
import type { OperatorQueue } from '../../src/queue/operator-queue.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';

import { fail, ok, warn, type Finding } from './finding.js';

const OLD_WAIT_S = 60;
const SHRINKS = 'Nothing: it is being worked off.';
/** Between two looks at a queue that is not empty. */
const GROWTH_MS = 1_000;
/** A lease is renewed every 4 s, and more often by who claims. */
const RENEWAL_MS = 4_500;
const RENEWAL_LOOK_MS = 250;

/** What waits, and whether anybody takes it. Rejects with RedisUnavailableError. */
export async function queueFindings(queue: OperatorQueue, config: Config, clock: Clock): Promise<Finding[]> {
  // a user that may do only what the worker needs may not ask this
  const type = String(await queue.ask('TYPE', config.queue.name).catch(() => 'list'));
  if (type !== 'list' && type !== 'none') {
    return [
      fail(
        'queue',
        `the key ${config.queue.name} is a ${type}, no list`,
        'Something else uses this name; correct the queue name, or delete the key.',
      ),
    ];
  }
  const before = await queue.sizes();
  if (before.waiting > 0) await clock.sleep(GROWTH_MS);
  const sizes = before.waiting > 0 ? await queue.sizes() : before;
  const grown = sizes.waiting - before.waiting;
  return [
    waitingFinding(sizes, grown, clock),
    ...consumerFindings(await livingWorkers(queue, clock), sizes, grown),
    ...deadFindings(sizes),
    ...(await pauseFindings(queue, clock)),
  ];
}

function waitingFinding(sizes: QueueSizes, grown: number, clock: Clock): Finding {
  const { waiting, processing, retrying, dead } = sizes;
  const counts = `${waiting} waiting, ${processing} processing, ${retrying} retrying, ${dead} dead`;
  const waited = oldestWaitSeconds(sizes.oldest, clock);
  const trend = grown === 0 ? '' : `; ${Math.abs(grown)} ${grown > 0 ? 'more' : 'fewer'} than a second ago`;
  const advice =
    grown < 0
      ? SHRINKS
      : 'See "supervisor" and "main server" here first; only if both are well and it grows: check --capacity.';
  if (waiting > BACKLOG_MESSAGES) return warn('queue', `${backlogOf(waiting)}${trend}`, advice);
  if (waited > OLD_WAIT_S) {
    return warn('queue', `${counts}${trend}; the oldest waits for ${Math.round(waited)} s`, advice);
  }
  return ok('queue', `${counts}${trend}`);
}

interface Workers {
  /** Renewed their lease while we looked. */
  readonly living: number;
  /** Did not: they died within the last seconds, hang, or were cut off. */
  readonly unknown: number;
}

/** Neither the clock of Redis nor ours can tell whether a lease runs, but a renewal can be seen. */
async function livingWorkers(queue: OperatorQueue, clock: Clock): Promise<Workers> {
  const until = clock.now() + RENEWAL_MS;
  const before = new Map((await queue.leases()).map(({ consumer, score }) => [consumer, score]));
  const living = new Set<string>();
  let unknown = before.size;
  while (unknown > 0 && clock.now() < until) {
    await clock.sleep(RENEWAL_LOOK_MS);
    const leases = await queue.leases();
    for (const { consumer, score } of leases) if (before.get(consumer) !== score) living.add(consumer);
    unknown = leases.filter(({ consumer }) => !living.has(consumer)).length;
  }
  return { living: living.size, unknown };
}

/** A queue that shrinks without us has Python workers on it. */
function consumerFindings({ living, unknown }: Workers, { waiting }: QueueSizes, grown: number): Finding[] {
  const doubt = `${unknown} more did not renew ${unknown === 1 ? 'its' : 'theirs'} within ${RENEWAL_MS / 1_000} s: whether they live is not known`;
  if (living > 0) {
    const found = `${living} ${living === 1 ? 'worker holds a lease' : 'workers hold leases'}`;
    return [ok('consumers', unknown === 0 ? found : `${found}; ${doubt}`)];
  }
  if (waiting === 0 && unknown === 0) return [];
  const nobody = waiting === 0 ? 'no worker of this kind' : `${waiting} messages wait and no worker of this kind`;
  const advice = 'Start it: message-broker-worker start';
  if (unknown > 0) {
    const held = unknown === 1 ? 'a lease is held' : `${unknown} leases are held`;
    return [
      warn(
        'consumers',
        `${nobody} has shown a sign of life within ${RENEWAL_MS / 1_000} s; ${held}, and whether by the living is not known`,
        `If they died, what they held is back within 15 s where another one runs. ${advice}`,
      ),
    ];
  }
  const dead = `${nobody} is alive`;
  return [grown < 0 ? warn('consumers', dead, advice) : fail('consumers', `${dead}; nobody takes them`, advice)];
}

function deadFindings({ dead }: QueueSizes): Finding[] {
  if (dead === 0) return [];
  return [
    warn(
      'dead letters',
      `${dead} wait for a decision`,
      'Look with "message-broker-worker dead list", then replay or purge them.',
    ),
  ];
}

async function pauseFindings(queue: OperatorQueue, clock: Clock): Promise<Finding[]> {
  const { text, leftMs, refusal } = await queue.lookAtPause();
  if (text !== undefined) {
    const pause = readPause(text);
    const endsAtMs = leftMs === undefined ? undefined : clock.wallNow() + leftMs;
    const advice = 'To have them go on before: message-broker-worker resume';
    return [warn('pause', pausedBy({ ...pause, untilMs: pause.untilMs ?? endsAtMs }), advice)];
  }
  if (refusal === undefined) return [];
  const advice = `Let the user of Redis do what ecosystem.md lists (ACL SETUSER); if another program uses ${queue.pausedKey}, delete or rename it.`;
  return [warn('pause', `it cannot be seen whether deliveries are paused, so they go on: ${refusal}`, advice)];
}

function oldestWaitSeconds(oldest: Buffer | undefined, clock: Clock): number {
  const parsed = oldest && parseMessage(oldest);
  if (!parsed?.ok || parsed.message.queuedAtMs === undefined) return 0;
  return (clock.wallNow() - parsed.message.queuedAtMs) / 1_000;
}
