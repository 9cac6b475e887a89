/** What can happen to a fleet, all that Prometheus raises then, and the one alert that may wake somebody. */
import { GONE, HOSTS, supervisorOf, targetsOf, workersOf, type Change, type Host, type Labels } from './fleet.js';

export interface Outage {
  readonly name: string;
  readonly change: (host: Host) => Change;
  /** Minute in which `firing` is all that fires. It begins at 5. */
  readonly at: number;
  readonly firing: readonly Labels[];
  readonly page: string;
  /** Minute after it in which nothing pages any more. */
  readonly overAt: number;
}

const [, SECOND] = HOSTS;
const raised = (alertname: string, severity: 'page' | 'warning', of: readonly Labels[]): Labels[] =>
  of.map((labels) => ({ alertname, severity, ...labels }));
const ofSupervisors: readonly Labels[] = [{ job: 'supervisor' }];
const ofWorkers: readonly Labels[] = [{ job: 'workers' }];
/** From minute 5 to 20 nothing is delivered, and three minutes later nothing waits any more. */
const PILES_UP: Change = { waiting: '0x5 2000+2000x14 20000 10000 0x20', oldestWait: '0x5 60+60x14 600 300 0x20' };

export const OUTAGES: readonly Outage[] = [
  {
    name: 'Redis is away',
    change: () => ({
      redisUp: '1x5 0x14 1x20',
      consuming: '1x5 0x14 1x20',
      delivered: '0+60x5 300x14 300+60x20',
      waiting: '0x5 _x14 20000 10000 0x20',
      retrying: '0x5 _x14 0x20',
      oldestWait: '0x5 _x14 900 600 0x20',
      retryOverdue: '0x5 _x14 900 0x20',
    }),
    at: 19,
    firing: raised('RedisDown', 'page', [{}]),
    page: 'RedisDown',
    overAt: 24,
  },
  {
    name: 'the main server is down',
    change: () => ({
      ...PILES_UP,
      breakerOpen: '0x5 1x14 0x20',
      consuming: '1x5 0x14 1x20',
      delivered: '0+60x5 300x14 300+60x20',
      failed: '0x5 10x40',
    }),
    at: 19,
    firing: [
      ...raised('BreakerOpen', 'page', ofWorkers),
      ...raised('HighErrorRate', 'warning', workersOf(...HOSTS)),
      ...raised('QueueBacklog', 'warning', ofSupervisors),
    ],
    page: 'BreakerOpen',
    overAt: 23,
  },
  {
    name: 'a certificate has ended on both hosts',
    change: () => ({
      ...PILES_UP,
      breakerOpen: '0x5 1x14 0x20',
      consuming: '1x5 0x14 1x20',
      delivered: '0+60x5 300x14 300+60x20',
      failed: '0x5 10x40',
      certificateEnds: '31536000x4 300x15 31536000x20',
    }),
    at: 19,
    firing: [
      ...raised(
        'CertificateExpired',
        'page',
        HOSTS.map((host) => ({ host, file: 'worker.crt' })),
      ),
      ...raised('BreakerOpen', 'page', ofWorkers),
      ...raised('HighErrorRate', 'warning', workersOf(...HOSTS)),
      ...raised('QueueBacklog', 'warning', ofSupervisors),
    ],
    page: 'CertificateExpired',
    overAt: 23,
  },
  {
    name: 'the main server answers 500',
    change: () => ({
      delivered: '0+60x5 300x14 300+60x20',
      failed: '0x5 0+60x14 840x20',
      retrying: '0x5 480+480x14 0x20',
    }),
    at: 19,
    firing: [
      ...raised('HighFailureRatio', 'page', ofWorkers),
      ...raised('HighFailureRatio', 'warning', ofWorkers),
      ...raised('HighErrorRate', 'warning', workersOf(...HOSTS)),
      ...raised('RetryBacklog', 'warning', ofSupervisors),
    ],
    page: 'HighFailureRatio',
    overAt: 30,
  },
  {
    name: 'the main server never answers',
    change: () => ({ ...PILES_UP, consuming: '1x5 0x14 1x20', delivered: '0+60x5 300x14 300+60x20' }),
    at: 19,
    firing: [
      ...raised('WorkerStuck', 'page', HOSTS.flatMap(stuckOn)),
      ...raised('MessagesWaitTooLong', 'page', ofSupervisors),
      ...raised('QueueBacklog', 'warning', ofSupervisors),
    ],
    page: 'WorkerStuck',
    overAt: 23,
  },
  {
    name: 'a host is gone, and the other one takes less than there is',
    change: (host) => (host === SECOND ? GONE : PILES_UP),
    at: 19,
    firing: [
      ...raised('SupervisorDown', 'page', [supervisorOf(SECOND)]),
      ...raised('WorkerDown', 'page', targetsOf(SECOND)),
      ...raised('MessagesWaitTooLong', 'page', ofSupervisors),
      ...raised('QueueBacklog', 'warning', ofSupervisors),
    ],
    page: 'SupervisorDown',
    overAt: 23,
  },
  {
    name: 'all workers crash again and again',
    change: () => ({ ...PILES_UP, restarts: '0x5 1+1x14 15x20', delivered: '0+60x5 300x14 300+60x20' }),
    at: 19,
    firing: [
      ...raised(
        'CrashLoop',
        'page',
        HOSTS.flatMap(stuckOn).map((labels) => ({ process: 'worker', ...labels })),
      ),
      ...raised('MessagesWaitTooLong', 'page', ofSupervisors),
      ...raised('QueueBacklog', 'warning', ofSupervisors),
    ],
    page: 'CrashLoop',
    overAt: 35,
  },
  {
    name: 'Redis lets nobody move retries back',
    change: () => ({
      retriesFail: '0x5 1x14 0x20',
      retryOverdue: '0x5 30+60x14 0x20',
      retrying: '0x5 480+480x14 0x20',
    }),
    at: 19,
    firing: [
      ...raised('RetriesOverdue', 'page', ofSupervisors),
      ...raised('DutyFailing', 'warning', [{ job: 'supervisor', duty: 'retry scheduler' }]),
      ...raised('RetryBacklog', 'warning', ofSupervisors),
    ],
    page: 'RetriesOverdue',
    overAt: 23,
  },
];

/** Its workers, as the supervisor names them. */
function stuckOn(host: Host): Labels[] {
  return workersOf(host).map(({ worker_id: id = '' }) => ({ ...supervisorOf(host), worker_id: id }));
}
