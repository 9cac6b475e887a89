/**
 * A forked child starts here (supervisor/workers/forked-child.ts).
 *
 * Node opens the files of all modules that it has heard of at once. In steps a worker boots with 36 file descriptors, in
 * one it takes 54, and a host with a low `ulimit -n` would have no worker at all.
 */
await import('./shared/logger/logger.js');
await import('./delivery/main-server-client.js');
await import('./worker/loop/work-loop.js');
const { Child } = await import('./worker/child.js');

new Child().start();
