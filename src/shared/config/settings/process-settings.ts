import { directoryPath, fileName, host } from '../formats/address-formats.js';
import { boolean, integer, matching, memoryLimit, oneOf, port, seconds } from '../formats/scalar-formats.js';
import type { Setting } from './setting.js';

/** The id becomes part of Redis keys, metric labels and log lines. */
const workerId = matching(/^[A-Za-z0-9._:@-]{1,128}$/, 'letters, digits and . _ : @ - (at most 128 characters)');

/** Sent in a header, so printable ASCII without blanks; 16 characters keep it out of reach of guessing. */
const adminToken = matching(/^[!-~]{16,512}$/, 'at least 16 characters, printable ASCII without blanks');

/** For WORKER_COUNT, and for `scale`. */
export const MOST_WORKERS = 512;

/** What runs here: the workers, their metrics and logs, and the supervisor. */
export const PROCESS_SETTINGS = [
  {
    path: 'worker.id',
    target: 'worker.id',
    env: 'WORKER_ID',
    flag: 'worker-id',
    default: '',
    defaultShown: '`worker-<i>`, alone `worker-<pid>`',
    format: workerId,
    prose: 'Unique worker identifier; under the supervisor, `WORKER_ID=x` gives `x-1`, `x-2`, …',
  },
  {
    path: 'worker.count',
    target: 'worker.count',
    env: 'WORKER_COUNT',
    flag: 'num-workers',
    default: '3',
    format: integer({ min: 1, max: MOST_WORKERS }),
    prose: 'Number of worker processes',
  },
  {
    path: 'worker.concurrency',
    target: 'worker.concurrency',
    env: 'WORKER_CONCURRENCY',
    flag: 'concurrency',
    default: '4',
    format: integer({ min: 1, max: 10_000 }),
    prose: 'Number of concurrent message processors of each worker',
  },
  {
    path: 'worker.retry_interval',
    target: 'worker.retryIntervalMs',
    env: 'WORKER_RETRY_INTERVAL',
    flag: 'retry-interval',
    default: '30',
    // Above 0, or a failing message would be tried in a busy loop; at most a week.
    format: seconds({ min: 0.001, max: 604_800 }),
    unit: 'seconds',
    prose: 'Retry interval, fixed',
  },
  {
    path: 'worker.max_attempts',
    target: 'worker.maxAttempts',
    env: 'WORKER_MAX_ATTEMPTS',
    flag: 'max-attempts',
    default: '10000',
    format: integer({ min: 1, max: 1_000_000_000 }),
    prose: 'Maximum delivery attempts',
  },
  {
    path: 'worker.batch_size',
    target: 'worker.batchSize',
    env: 'WORKER_BATCH_SIZE',
    flag: 'batch-size',
    default: '10',
    format: integer({ min: 1, max: 10_000 }),
    prose: 'Most messages claimed in one round trip; never more than there are free processors',
  },
  {
    path: 'worker.shutdown_timeout',
    target: 'worker.shutdownTimeoutMs',
    env: 'WORKER_SHUTDOWN_TIMEOUT',
    flag: 'shutdown-timeout',
    default: '25',
    format: seconds({ min: 0, max: 3600 }),
    unit: 'seconds',
    prose: "How long a stopping worker may finish what it holds before it hands it back; below systemd's 30",
  },
  {
    path: 'worker.max_memory',
    target: 'worker.maxMemoryBytes',
    env: 'WORKER_MAX_MEMORY',
    default: '0',
    format: memoryLimit,
    unit: 'MB',
    prose:
      'A worker above this is drained and replaced; `128M` or more, with a suffix such as `512M` or `1G` (0 = off)',
  },
  {
    path: 'metrics.enabled',
    target: 'metrics.enabled',
    env: 'WORKER_METRICS_ENABLED',
    default: 'true',
    format: boolean,
    prose: 'Enable Prometheus metrics',
  },
  {
    path: 'metrics.host',
    target: 'metrics.host',
    env: 'WORKER_METRICS_HOST',
    default: '0.0.0.0',
    format: host,
    prose: 'Address that the metrics ports listen on',
  },
  {
    path: 'metrics.port',
    target: 'metrics.port',
    env: 'WORKER_METRICS_PORT',
    flag: { supervisor: 'base-metrics-port', worker: 'metrics-port' },
    default: '9100',
    format: port,
    prose: 'Prometheus metrics port of the first worker; the next ones count up from it',
  },
  {
    path: 'logging.level',
    target: 'logging.level',
    env: 'LOG_LEVEL',
    flag: 'log-level',
    default: 'INFO',
    format: oneOf(['DEBUG', 'INFO', 'WARNING', 'ERROR'], new Map([['warn', 'WARNING']])),
    prose: 'Logging level (DEBUG, INFO, WARNING, ERROR)',
  },
  {
    path: 'logging.directory',
    target: 'logging.directory',
    env: 'LOG_FILE_PATH',
    default: 'logs',
    format: directoryPath,
    prose: 'Directory for log files',
  },
  {
    path: 'logging.file_name',
    target: 'logging.fileName',
    env: 'LOG_FILE_NAME',
    default: 'worker.log',
    format: fileName,
    prose: "Name that always leads to today's log file",
  },
  {
    path: 'logging.format',
    target: 'logging.format',
    env: 'LOG_FORMAT',
    flag: 'log-format',
    default: 'text',
    format: oneOf(['text', 'json']),
    prose: 'Log lines for people (`text`) or for machines (`json`)',
  },
  {
    path: 'logging.rotation.backup_count',
    target: 'logging.retentionDays',
    env: 'LOG_ROTATION_DAYS',
    default: '7',
    format: integer({ min: 1, max: 3650 }),
    unit: 'days',
    prose: 'How long log files are kept; a new one begins at midnight',
  },
  {
    path: 'supervisor.host',
    target: 'supervisor.host',
    env: 'SUPERVISOR_HOST',
    flag: 'supervisor-host',
    default: '127.0.0.1',
    format: host,
    prose: "Address of the supervisor's dashboard, status and metrics",
  },
  {
    path: 'supervisor.port',
    target: 'supervisor.port',
    env: 'SUPERVISOR_PORT',
    flag: 'supervisor-port',
    default: '9099',
    format: port,
    prose: 'Port of the same; several instances on one host differ in it',
  },
  {
    path: 'supervisor.runtime_dir',
    target: 'supervisor.runtimeDir',
    env: 'SUPERVISOR_RUNTIME_DIR',
    default: '',
    defaultShown:
      '`$XDG_RUNTIME_DIR/message-broker-worker`, else `message-broker-worker-<uid>` in the temporary folder',
    format: directoryPath,
    prose: 'Directory of the pidfile and the control socket',
  },
  {
    path: 'supervisor.admin_token',
    target: 'supervisor.adminToken',
    env: 'SUPERVISOR_ADMIN_TOKEN',
    default: '',
    format: adminToken,
    secret: true,
    prose: 'Bearer token that allows reload, scale and the like over TCP; without it they work on the socket only',
  },
] as const satisfies readonly Setting[];
