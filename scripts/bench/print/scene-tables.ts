/** The scenes as text for a terminal. */
import type { Sample } from '../measure/throughput.js';
import type { FailureCost } from '../scenes/failures.js';
import type { FrozenRun } from '../scenes/frozen-server.js';
import type { OperatorRun } from '../scenes/operator.js';
import type { RealOrder } from '../scenes/real-order.js';
import { table } from './table.js';

/** Every run is shown. */
export function coldTable(samples: readonly Sample[]): string {
  const rows = samples.map((one) => [
    String(one.concurrency),
    String(one.round + 1),
    one.contender,
    whole(one.messagesPerSecond),
    whole(one.cpuMicros),
    one.redisMicros.toFixed(1),
  ]);
  return table(['concurrency', 'run', 'a new process of', 'messages/s', 'CPU µs/message', 'Redis CPU µs'], rows);
}

export function failureTable(costs: readonly FailureCost[]): string {
  const rows = costs.map((one) => [
    one.contender,
    whole(one.attemptsPerSecond),
    whole(one.deliveredMicros),
    whole(one.failedMicros),
    (one.failedMicros / one.deliveredMicros).toFixed(1),
    `${one.redisDeliveredMicros.toFixed(1)} / ${one.redisFailedMicros.toFixed(1)}`,
    whole(one.peakBytes / 1e6),
  ]);
  const head = ['half of it failing', 'attempts/s', 'delivered µs', 'failed µs', '×', 'Redis µs', 'peak MB'];
  return table(head, rows);
}

export function frozenTable(runs: readonly FrozenRun[]): string {
  const rows = runs.map((one) => [
    `${one.workers} × ${one.concurrency} ${one.control}`,
    `${one.delivered} of ${one.messages}`,
    one.seconds.toFixed(1),
    String(one.mostInFlight),
    String(one.frozen),
    one.p95.toFixed(1),
  ]);
  return table(['freezing server', 'delivered', 'seconds', 'most in flight', 'froze it', 'p95 ms'], rows);
}

export function realOrderTable({ messages, p50, p99, floorP50, floorP99, wastedPosts }: RealOrder): string {
  const row = [messages, p50, floorP50, p99, floorP99, wastedPosts].map((value, at) =>
    at ? value.toFixed(2) : `${value}`,
  );
  return table(['real order: messages', 'p50 ms', 'floor', 'p99 ms', 'floor', 'wasted POSTs each'], [row]);
}

export function operatorTable({
  waiting,
  dead,
  retrying,
  taken,
  rate,
  rateKept,
  seconds,
  longestMs,
}: OperatorRun): string {
  const rows = [
    ['show an id that is nowhere', `${whole(waiting)} waiting, ${whole(dead)} dead`, seconds.show],
    ['first page of the waiting', whole(waiting), seconds.pageOfWaiting],
    ['first page of the dead', whole(dead), seconds.pageOfDead],
    ['retry all', whole(retrying), seconds.retry],
    ['cancel of one client', `${whole(taken)} of ${whole(waiting)}`, seconds.cancel],
    ['purge of one client', `${whole(taken)} of ${whole(dead)}`, seconds.purge],
  ].map(([what, among, took]) => [String(what), String(among), Number(took).toFixed(3)]);
  const beside = `${whole(rate)} deliveries/s beside it: ${(100 * rateKept).toFixed(0)} % of them went on; longest command of Redis ${longestMs.toFixed(1)} ms`;
  return `${table(['operator', 'among', 'seconds'], rows)}\n${beside}`;
}

function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–';
}
