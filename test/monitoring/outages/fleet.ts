/** What Prometheus reads of a fleet of two hosts with four workers each, minute by minute, in promtool's notation. */
export type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly series: string;
  readonly values: string;
}

export const HOSTS = ['10.0.0.1', '10.0.0.2'] as const;
export type Host = (typeof HOSTS)[number];
const WORKERS = 4;
const SUPERVISOR_PORT = 9099;
const FIRST_PORT = 9100;

/** Values of each series from minute 0 on. */
interface View {
  readonly up: string;
  readonly redisUp: string;
  readonly breakerOpen: string;
  readonly consuming: string;
  readonly restarts: string;
  readonly delivered: string;
  readonly failed: string;
  readonly waiting: string;
  readonly retrying: string;
  readonly oldestWait: string;
  readonly retryOverdue: string;
  readonly retriesFail: string;
  /** Unix time; Prometheus's begins with 0 here. */
  readonly certificateEnds: string;
}

const WELL: View = {
  up: '1x40',
  redisUp: '1x40',
  breakerOpen: '0x40',
  consuming: '1x40',
  restarts: '0x40',
  delivered: '0+60x40',
  failed: '0x40',
  waiting: '0x40',
  retrying: '0x40',
  oldestWait: '0x40',
  retryOverdue: '0x40',
  retriesFail: '0x40',
  certificateEnds: '31536000x40',
};

/** What is not as it is while all is well. */
export type Change = Partial<View>;

/** Of a host that nobody reaches from minute 5 to 20. */
export const GONE: Change = {
  ...Object.fromEntries(Object.entries<string>({ ...WELL }).map(([name, values]) => [name, interrupted(values)])),
  up: '1x5 0x14 1x20',
};

function interrupted(values: string): string {
  const first = Number.parseInt(values, 10);
  return `${first}x5 stale _x14 ${first}x20`;
}

export const supervisorOf = (host: Host): Labels => ({
  job: 'supervisor',
  host,
  instance: `${host}:${SUPERVISOR_PORT}`,
});

/** Where Prometheus asks each worker. */
export const targetsOf = (host: Host): Labels[] =>
  workersOf(host).map(({ job = '', instance = '' }) => ({ job, host, instance }));

/** As they name themselves there. */
export function workersOf(...hosts: readonly Host[]): Labels[] {
  return hosts.flatMap((host) =>
    Array.from({ length: WORKERS }, (_, worker) => ({
      job: 'workers',
      host,
      instance: `${host}:${FIRST_PORT + worker}`,
      worker_id: `worker-${worker + 1}`,
    })),
  );
}

/** All series of the fleet, of each host as its own change says. */
export function fleetSeries(changeOf: (host: Host) => Change): Series[] {
  return HOSTS.flatMap((host) => {
    const view = { ...WELL, ...changeOf(host) };
    return [
      ...supervisorSeries(host, view),
      ...targetsOf(host).map((target) => seriesOf('up', target, view.up)),
      ...workersOf(host).flatMap((worker) => workerSeries(worker, view)),
    ];
  });
}

function supervisorSeries(host: Host, view: View): Series[] {
  const own = supervisorOf(host);
  return [
    seriesOf('up', own, view.up),
    seriesOf('supervisor_redis_up', own, view.redisUp),
    seriesOf('redis_queue_length', own, view.waiting),
    seriesOf('redis_retry_length', own, view.retrying),
    seriesOf('redis_oldest_wait_seconds', own, view.oldestWait),
    seriesOf('redis_oldest_retry_overdue_seconds', own, view.retryOverdue),
    seriesOf('supervisor_duty_failing', { ...own, duty: 'retry scheduler' }, view.retriesFail),
    seriesOf('supervisor_certificate_not_after_seconds', { ...own, file: 'worker.crt' }, view.certificateEnds),
    ...workersOf(host).flatMap(({ worker_id: id = '' }) => [
      seriesOf('supervisor_worker_consuming', { ...own, worker_id: id }, view.consuming),
      seriesOf('supervisor_worker_breaker_open', { ...own, worker_id: id }, view.breakerOpen),
      seriesOf('supervisor_worker_restarts_total', { ...own, worker_id: id }, view.restarts),
    ]),
  ];
}

function workerSeries(own: Labels, view: View): Series[] {
  return [
    seriesOf('worker_redis_up', own, view.redisUp),
    seriesOf('worker_circuit_breaker_open', own, view.breakerOpen),
    seriesOf('worker_messages_processed_total', { ...own, status: 'delivered' }, view.delivered),
    seriesOf('worker_messages_processed_total', { ...own, status: 'failed' }, view.failed),
    seriesOf('worker_messages_failed_total', { ...own, reason: 'http_500' }, view.failed),
    seriesOf('worker_certificate_not_after_seconds', { ...own, file: 'worker.crt' }, view.certificateEnds),
  ];
}

function seriesOf(name: string, labels: Labels, values: string): Series {
  return { series: name + labelText(labels), values };
}

export function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}
