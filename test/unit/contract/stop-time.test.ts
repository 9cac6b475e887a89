/** systemd gives the Python worker's unit 30 s to stop (TimeoutStopSec) and then kills: we must be done before. */
import { systemClock } from '../../../src/shared/time/clock.js';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/shared/config/load.js';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import type { ChildProcess } from '../../../supervisor/workers/process/child-process.js';
import { WorkerHandle } from '../../../supervisor/workers/worker-handle.js';
import { document } from './markdown.js';

const SYSTEMD_STOP_MS = 30_000;
/** After the last child is gone: a last recovery of its claims, and the log. */
const LAST_WORDS_MS = 1_000;

/** A child that says it listens and has booted, and then nothing more. */
function silentChild(): ChildProcess {
  return {
    pid: 1,
    send: () => undefined,
    killNow: () => undefined,
    effort: () => undefined,
    onMessage: (listener) => {
      queueMicrotask(() => {
        listener({ type: 'hello' });
        listener({ type: 'booted', redisReached: true });
      });
    },
    onExit: () => undefined,
  };
}

test('with the default settings a worker that does not stop is killed in time for systemd', async () => {
  const { config } = loadConfig({ flags: {}, env: {}, cwd: packageRoot });
  const handle = new WorkerHandle({
    child: silentChild(),
    identity: { workerId: 'worker-1', metricsPort: 0, nonce: 'x' },
    config,
    clock: { ...systemClock, now: () => 0, wallNow: () => 0 },
    onChange: () => undefined,
  });
  await Promise.resolve();
  handle.activate();
  handle.drain(config.worker.shutdownTimeoutMs);
  expect(handle.stage).toBe('ending');
  expect(handle.dueInMs()).toBeGreaterThan(config.worker.shutdownTimeoutMs);
  expect(handle.dueInMs() + LAST_WORDS_MS).toBeLessThan(SYSTEMD_STOP_MS);
});

test('the documents name that stop time', () => {
  expect(document('ecosystem.md').fenced('ini')).toContain(`TimeoutStopSec=${SYSTEMD_STOP_MS / 1000}`);
});
