/**
 * Who may import whom: a whitelist. A room may import itself, what its line names, and nothing else; the packages of npm
 * have a list of their own. ARCHITECTURE.md says what each room is for.
 */

/** Room (a folder, or one file) → rooms, or single files of theirs that are their entrance. */
const ROOMS = {
  'src/main.ts': [
    'src/worker',
    'src/delivery/main-server-client.ts',
    'src/duties',
    'src/queue/background.ts',
    'src/queue/claims/claims-and-settlements.ts',
    'src/queue/connection/connection.ts',
    'src/shared/logger/logger.ts',
    'src/shared/metrics/worker-metrics.ts',
  ],
  'src/shared/errors.ts': [],
  'src/shared/life.ts': [],
  'src/shared/terminal.ts': [],
  'src/shared/ipc.ts': ['src/shared/config', 'src/shared/metrics', 'src/shared/words'],
  'src/shared/words': [],
  'src/shared/time': [],
  'src/shared/config': ['src/shared/errors.ts', 'src/shared/words'],
  'src/shared/logger': [
    'src/shared/config',
    'src/shared/errors.ts',
    'src/shared/life.ts',
    'src/shared/time',
    'src/shared/words',
  ],
  'src/shared/http': ['src/shared/time'],
  'src/shared/metrics': ['src/domain'],
  'src/domain': ['src/shared/words'],
  'src/queue': ['src/domain', 'src/shared'],
  'src/delivery': ['src/domain', 'src/shared'],
  'src/duties': ['src/domain', 'src/shared', 'src/queue/message-queue.ts', 'src/queue/background-queue.ts'],
  'src/worker': ['src/domain', 'src/shared', 'src/queue', 'src/delivery', 'src/duties'],

  'supervisor/cli.ts': ['supervisor/program.ts', 'supervisor/commands', 'src/queue', 'src/shared'],
  'supervisor/program.ts': ['supervisor/commands', 'src/shared'],
  'supervisor/workers': ['src/shared', 'src/queue/keys.ts'],
  'supervisor/rollout': ['supervisor/workers', 'src/shared'],
  'supervisor/queue': [
    'supervisor/workers',
    'src/domain',
    'src/duties/duty-failures.ts',
    'src/duties/failure-sweep.ts',
    'src/duties/fleet/presence.ts',
    'src/duties/found-lists.ts',
    'src/duties/history-writing.ts',
    'src/duties/recoverer.ts',
    'src/queue',
    'src/shared',
  ],
  'supervisor/status': [
    'supervisor/queue',
    'supervisor/rollout',
    'supervisor/workers',
    'src/shared',
    'src/domain/dead-letters/reasons.ts',
    'src/domain/failures/failing-clients.ts',
    'src/domain/fleet',
    'src/domain/history/book.ts',
  ],
  'supervisor/admin': [
    'supervisor/rollout',
    'supervisor/status',
    'supervisor/workers',
    'src/domain',
    'src/queue',
    'src/shared',
  ],
  'supervisor/dashboard': ['supervisor/admin', 'supervisor/status', 'src/shared'],
  // it runs in a browser: of the rest it takes shapes, paths, words and the escaping of text
  'supervisor/dashboard/page': [
    'supervisor/admin/protocol.ts',
    'supervisor/status/status-document.ts',
    'supervisor/status/status-events.ts',
    'src/domain/dead-letters/reasons.ts',
    'src/domain/delivery-outcome.ts',
    'src/shared/words/escape.ts',
    'src/shared/words/paused.ts',
  ],
  'supervisor/instances': [
    'supervisor/admin/runtime-folder.ts',
    'supervisor/workers/process/process-running.ts',
    'src/queue/keys.ts',
    'src/shared',
  ],
  'supervisor/primary': [
    'supervisor/admin',
    'supervisor/dashboard',
    'supervisor/instances',
    'supervisor/queue',
    'supervisor/rollout',
    'supervisor/status',
    'supervisor/workers',
    'src/domain/audit/deed.ts',
    'src/domain/fleet/fleet-watch.ts',
    'src/shared',
  ],
  'supervisor/certificates': [],
  'supervisor/capacity': [
    'supervisor/admin',
    'src/delivery/connect-options.ts',
    'src/delivery/request-probe.ts',
    'src/delivery/tls-credentials.ts',
    'src/queue/operator-queue.ts',
    'src/shared',
  ],
  'supervisor/doctor': [
    'supervisor/admin',
    'supervisor/status',
    'src/delivery/single-request.ts',
    'src/delivery/tls-credentials.ts',
    'src/domain',
    'src/queue/message-queue.ts',
    'src/queue/operator-queue.ts',
    'src/shared',
  ],
  'supervisor/commands': [
    'supervisor/admin',
    'supervisor/capacity',
    'supervisor/certificates',
    'supervisor/doctor',
    'supervisor/instances',
    'supervisor/primary/supervisor.ts',
    'supervisor/status',
    'supervisor/workers/process/process-running.ts',
    'src/domain',
    'src/queue',
    'src/shared',
    'src/worker/standalone-worker.ts',
  ],

  'scripts/local': ['src/shared'],
  'scripts/main-server': ['scripts/local', 'src/shared'],
  'scripts/quickstart': [
    'scripts/local',
    'scripts/main-server',
    'supervisor/certificates',
    'supervisor/status',
    'src/queue',
    'src/shared',
  ],
  'scripts/bench': [
    'src/domain/dead-letters',
    'src/queue/operator-queue.ts',
    'scripts/local',
    'scripts/main-server',
    'supervisor/certificates',
    'supervisor/status',
    'src/shared',
  ],
  'scripts/tasks': [],
};

/** Package → the rooms that may load it. */
const PACKAGES = {
  bullmq: ['scripts/bench'],
  '@peculiar/x509': ['supervisor/certificates'],
  'reflect-metadata': ['supervisor/certificates'],
  commander: ['supervisor', 'scripts/bench', 'scripts/local', 'scripts/main-server', 'scripts/quickstart'],
  convict: ['src/shared/config'],
  got: ['src/delivery', 'supervisor/admin', 'scripts/quickstart'],
  ioredis: ['src/queue', 'scripts/bench'],
  pidusage: ['supervisor/workers', 'scripts/bench'],
  'prom-client': ['src/shared/metrics', 'src/duties', 'supervisor/status'],
  rolldown: ['scripts/tasks'],
  typescript: ['scripts/tasks'],
  undici: ['src/delivery', 'scripts/bench'],
  uplot: ['supervisor/dashboard/page'],
  winston: ['src/shared/logger'],
  'winston-daily-rotate-file': ['src/shared/logger'],
  yaml: ['src/shared/config', 'scripts/quickstart'],
};

const EVERYWHERE = '^(src|supervisor|scripts)/';

/** Matches the room's files, and for a folder within which another room lies not that one's. */
function filesOf(room) {
  const inner = Object.keys(ROOMS).filter((other) => other.startsWith(`${room}/`));
  const path = room.endsWith('.ts') ? `^${escaped(room)}$` : `^${escaped(room)}/`;
  return inner.length === 0 ? { path } : { path, pathNot: inner.map((other) => `^${escaped(other)}(/|$)`) };
}

function escaped(path) {
  return path.replaceAll('.', '\\.');
}

const roomRules = Object.entries(ROOMS).flatMap(([room, others]) => [
  { from: filesOf(room), to: filesOf(room) },
  ...others.map((other) => ({ from: filesOf(room), to: { path: filesOf(other).path } })),
]);

const packageRules = Object.entries(PACKAGES).flatMap(([name, rooms]) =>
  rooms.map((room) => ({ from: { path: `^${room}/` }, to: { path: `(node_modules/(@types/)?${name}/|^${name}$)` } })),
);

module.exports = {
  forbidden: [{ name: 'no-circular', severity: 'error', from: {}, to: { circular: true } }],
  allowed: [
    ...roomRules,
    ...packageRules,
    { from: { path: EVERYWHERE }, to: { dependencyTypes: ['core'] } },
    // loaded once it is built
    { from: { path: '^scripts/tasks/' }, to: { path: '(^|/)dist/scripts/' } },
  ],
  allowedSeverity: 'error',
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs'], conditionNames: ['import', 'node', 'default'] },
  },
};
