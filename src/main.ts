/**
 * A forked child starts here (supervisor/workers/process/forked-child.ts).
 *
 * SIGUSR1 opens Node's debugger, a door to the process for every user of the host, unless somebody listens to it: so that
 * stands before anything else is loaded, and nothing is imported the static way, which would come first.
 *
 * Node opens the files of all modules that it has heard of at once. In steps a worker boots with 44 file descriptors, in
 * one it takes more than 60, and a host with a low `ulimit -n` would have no worker at all.
 */
process.on('SIGUSR1', () => undefined);

await import('./shared/logger/logger.js');
await import('./delivery/main-server-client.js');
await import('./queue/connection/connection.js');
await import('./queue/background.js');
await import('./queue/claims/claims-and-settlements.js');
await import('./shared/metrics/worker-metrics.js');
await import('./worker/loop/pause-watch.js');
await import('./worker/loop/work-loop.js');
await import('./worker/attempt/attempt.js');
await import('./worker/attempt/status-updates.js');
await import('./duties/recoverer.js');
await import('./duties/metrics-server.js');
await import('./duties/failure-sweep.js');
await import('./worker/composition.js');
const { Child } = await import('./worker/child.js');

new Child().start();

export {};
