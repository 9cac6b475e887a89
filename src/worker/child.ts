/**
 * A worker forked by the primary: the child's side of the protocol in shared/ipc.ts.
 *
 * A child ignores SIGINT and SIGHUP, since Ctrl-C and a closed terminal reach the whole group and only the primary
 * decides. When the primary dies the channel closes: the child drains and exits by itself. One whose loop is blocked is
 * ended by the primary's guardian (supervisor/workers/process/orphan-guardian.ts), on Windows by a thread of its own.
 */
import cluster from 'node:cluster';
import type { Config } from '../shared/config/config.js';
import { exitCodeOf } from '../shared/errors.js';
import { readToChild, type Identity, type ToChild, type ToPrimary } from '../shared/ipc.js';
import { createLogger, type Logger } from '../shared/logger/logger.js';
import { outliveTerminal } from '../shared/terminal.js';
import { systemClock } from '../shared/time/clock.js';
import { systemRandom } from '../shared/time/random.js';
import { asSentence, noRoute } from '../shared/words/causes.js';
import { bootProblem } from './boot-problem.js';
import { dieLoudly } from './die-loudly.js';
import { Heartbeat } from './heartbeat.js';
import { startOrphanWatchdog } from './orphan-watchdog.js';
import { WorkerProcess } from './worker-process.js';

/** Orphans must be gone 15 s after the primary, with what they hold settled or handed back. */
const ORPHAN_DRAIN_MS = 8_000;

export class Child {
  #log: Logger | undefined;
  #worker: WorkerProcess | undefined;
  #heartbeat: Heartbeat | undefined;
  #shutdownMs = ORPHAN_DRAIN_MS;
  #draining = false;

  start(): void {
    const ignore = () => undefined;
    process.on('SIGINT', ignore);
    process.on('SIGHUP', ignore);
    process.on('SIGTERM', () => this.#drain(this.#shutdownMs));
    process.on('message', (message: unknown) => {
      const known = readToChild(message);
      if (known) this.#obey(known);
    });
    cluster.worker?.once('disconnect', () => this.#orphaned());
    outliveTerminal();
    if (process.platform === 'win32') startOrphanWatchdog();
    void tellPrimary({ type: 'hello' });
  }

  #obey(message: ToChild): void {
    switch (message.type) {
      case 'configure':
        void this.#boot(message.config, message.identity);
        return;
      case 'activate':
        void this.#worker?.activate();
        return;
      case 'quiet':
        void this.#worker?.quiet().then(() => void tellPrimary({ type: 'quieted' }));
        return;
      case 'drain':
        this.#drain(message.deadlineMs);
        return;
      case 'kill':
        this.#worker?.kill();
        this.#drain(0);
        return;
      case 'collect-gauges':
        void this.#sendGauges(message.request);
        return;
      case 'collect-claims':
        if (this.#worker) void tellPrimary({ type: 'claims', request: message.request, claims: this.#worker.claims() });
    }
  }

  async #boot(config: Config, identity: Identity): Promise<void> {
    const { workerId } = identity;
    this.#shutdownMs = config.worker.shutdownTimeoutMs;
    const log = createLogger({ logging: config.logging, name: workerId, ownsRotation: false, clock: systemClock });
    this.#log = log;
    log.start();
    dieLoudly(log);
    log.info(`Worker ${workerId} starting...`);
    try {
      const worker = this.#compose(config, identity, log);
      const [redisReached, hasRoute] = await Promise.all([worker.reachRedis(), worker.hasRoute()]);
      if (!hasRoute) log.error(asSentence(noRoute(config.mainServer.url, config.mainServer.deliverEndpoint)));
      void tellPrimary({ type: 'booted', redisReached, hasRoute });
    } catch (error) {
      const problem = bootProblem(error);
      log.error(problem.message);
      void tellPrimary({ type: 'boot-failed', ...problem });
      await this.#exit(exitCodeOf(problem.code));
    }
  }

  #compose(config: Config, identity: Identity, log: Logger): WorkerProcess {
    const worker = new WorkerProcess({
      config,
      identity,
      isAlone: false,
      log,
      clock: systemClock,
      random: systemRandom,
      onTurn: () => this.#heartbeat?.turn(),
      onConsumer: (consumer) => void tellPrimary({ type: 'consumer', consumer }),
    });
    this.#worker = worker;
    this.#heartbeat = new Heartbeat({ worker, tell: tellPrimary, clock: systemClock });
    this.#heartbeat.start();
    return worker;
  }

  async #sendGauges(request: number): Promise<void> {
    if (!this.#worker) return;
    await this.#heartbeat?.tellCounts();
    void tellPrimary({ type: 'gauges', request, gauges: await this.#worker.gauges() });
  }

  #drain(deadlineMs: number): void {
    if (this.#draining) return;
    this.#draining = true;
    const drained = this.#worker?.drain(deadlineMs) ?? Promise.resolve();
    void drained.then(() => this.#heartbeat?.stop()).then(() => this.#exit(0));
  }

  /** node:cluster would exit at once with what is in flight; `exitedAfterDisconnect` set in time keeps it from that. */
  #orphaned(): void {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    this.#log?.error('The supervisor is gone; finishing what is in flight and stopping');
    this.#drain(Math.min(this.#shutdownMs, ORPHAN_DRAIN_MS));
    // one that drains already has a deadline of its own, after which the guardian would have killed it
    systemClock.after(ORPHAN_DRAIN_MS, () => this.#worker?.kill());
  }

  async #exit(code: number): Promise<void> {
    await this.#log?.stop();
    process.exit(code);
  }
}

/** Resolves when it is on its way. The primary may be gone at any moment: `disconnect` tells us. */
function tellPrimary(message: ToPrimary): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send) process.send(message, undefined, undefined, () => resolve());
    else resolve();
  });
}
