import { Worker as Thread } from 'node:worker_threads';

/** An orphan drains for 8 s; one whose event loop is blocked never learns that it is one. Both are gone before 15 s. */
const ORPHAN_LIFE_MS = 12_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Runs beside the main thread, because only a thread of its own still turns when the main loop is blocked: once the
 * parent process has changed (the kernel gives orphans to another one), this process has 12 s left.
 */
const WATCHDOG = `
  const { workerData } = require('node:worker_threads');
  let orphanSince;
  setInterval(() => {
    if (process.ppid === workerData.parent) return;
    orphanSince ??= performance.now();
    if (performance.now() - orphanSince > workerData.lifeMs) process.kill(process.pid, 'SIGKILL');
  }, workerData.lookEveryMs);
`;

/** Ends this process some seconds after its parent died, whatever the main thread does. */
export function startOrphanWatchdog(): void {
  const thread = new Thread(WATCHDOG, {
    eval: true,
    workerData: { parent: process.ppid, lifeMs: ORPHAN_LIFE_MS, lookEveryMs: LOOK_EVERY_MS },
    // it needs 3 MB; with the default limits its heap may grow as large as the main one
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  thread.unref();
}
