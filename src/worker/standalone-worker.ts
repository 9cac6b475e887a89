/** A worker alone, without a primary: the `worker` command, the original's `python worker.py`. */
import { randomBytes } from 'node:crypto';
import type { LoadedConfig } from '../shared/config/load.js';
import { exitCodeOf } from '../shared/errors.js';
import { createLogger, type Logger } from '../shared/logger/logger.js';
import { systemClock } from '../shared/time/clock.js';
import { systemRandom } from '../shared/time/random.js';
import { asSentence, noRoute } from '../shared/words/causes.js';
import { bootProblem } from './boot-problem.js';
import { dieLoudly } from './die-loudly.js';
import { WorkerProcess } from './worker-process.js';

/** One worker without cluster; resolves to the exit code once everything is closed. */
export async function runStandaloneWorker(loaded: LoadedConfig): Promise<number> {
  const { config } = loaded;
  const workerId = config.worker.id || `worker-${process.pid}`;
  const log = createLogger({ logging: config.logging, name: workerId, ownsRotation: true, clock: systemClock });
  log.start();
  dieLoudly(log);
  try {
    for (const warning of loaded.warnings) log.warn(warning);
    log.info(`Worker ${workerId} starting...`);
    const worker = new WorkerProcess({
      config,
      identity: { workerId, metricsPort: config.metrics.port, nonce: newNonce() },
      isAlone: true,
      log,
      clock: systemClock,
      random: systemRandom,
      onTurn: nobodyAsks,
      onConsumer: nobodyAsks,
    });
    const stopped = stopOnSignals(worker, log, config.worker.shutdownTimeoutMs);
    const [, hasRoute] = await Promise.all([worker.reachRedis(), worker.hasRoute()]);
    if (!hasRoute) log.error(asSentence(noRoute(config.mainServer.url, config.mainServer.deliverEndpoint)));
    await worker.activate();
    await stopped;
    return 0;
  } catch (error) {
    const { code, message } = bootProblem(error);
    log.error(message);
    return exitCodeOf(code);
  } finally {
    await log.stop();
  }
}

function nobodyAsks(): void {}

function newNonce(): string {
  return randomBytes(6).toString('hex');
}

/** First SIGTERM or SIGINT: drain. Second: hand back and exit. */
async function stopOnSignals(worker: WorkerProcess, log: Logger, deadlineMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let stopping = false;
    const stop = (name: string, signal: number) => {
      if (stopping) return worker.kill();
      stopping = true;
      log.info(`Received signal ${signal} (${name}), initiating graceful shutdown...`);
      worker.drain(deadlineMs).then(resolve, reject);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('SIGHUP', () =>
      log.warn('SIGHUP reloads a supervisor; this single worker goes on as it is (restart it)'),
    );
  });
}
