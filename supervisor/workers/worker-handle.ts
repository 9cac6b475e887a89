/**
 * A child AS SEEN BY the primary.
 *
 *   booting ──booted──→ standby ──activate()──→ active ──quiet(), then `quieted`──→ quieted
 *      └───────────────────┴──────────────────────┴───── drain() or kill() ───────────┴──→ ending
 *
 * and from everywhere, when the process exits: gone. An `ending` child that outlives its deadline gets SIGKILL, and so
 * does one that does not boot or whose work loop sends no beat for longer than our patience lasts (`overdue`).
 */
import { CAUSE } from '../../src/shared/words/causes.js';
import type { BrokerError } from '../../src/shared/errors.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';
import { readToPrimary, type Beat, type ClaimsInHand, type Identity, type ToPrimary } from '../../src/shared/ipc.js';
import type { MetricJson } from '../../src/shared/metrics/metric-json.js';
import { consumerName } from '../../src/queue/keys.js';
import { Changes } from './changes.js';
import type { ChildProcess, Exit } from './process/child-process.js';
import { CountSet } from './count-set.js';
import { Question } from './question.js';
import { BEAT_LIMIT_MS, BOOT_LIMIT_MS, Patience } from './patience.js';

type Stage = 'booting' | 'standby' | 'active' | 'quieted' | 'ending' | 'gone';

interface WorkerHandleOptions {
  readonly child: ChildProcess;
  readonly identity: Identity;
  readonly config: Config;
  readonly clock: Clock;
  /** How long it may boot without a sign of life. */
  readonly bootLimitMs?: number;
  /** Called after each change that the reconcile loop may want to act on. */
  readonly onChange: () => void;
}

/** A child past its own deadline still hands back what it holds; this is the time for that. */
const DRAIN_GRACE_MS = 3_000;
/** Handing back takes one round trip to Redis; a second signal must end everything within a second. */
const KILL_GRACE_MS = 800;

export class WorkerHandle {
  readonly identity: Identity;
  readonly config: Config;
  readonly pid: number;
  readonly forkedAt: number;

  beat: Beat | undefined;
  /** All that it counted, as far as it has told. */
  readonly counts: CountSet;
  /** An answer brings the counts up to date, too. */
  readonly gauges = this.#question<readonly MetricJson[]>('collect-gauges');
  readonly claims = this.#question<ClaimsInHand>('collect-claims');

  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #changes: Changes;
  readonly #patience: Patience;
  readonly #bootLimitMs: number;
  readonly #consumers = new Set<string>();
  #stage: Stage = 'booting';
  #exit: Exit | undefined;
  #bootFailure: Pick<BrokerError, 'code' | 'message'> | undefined;
  #redisReached = false;
  #hasRoute = true;
  #hasBooted = false;
  #killedBecause: string | undefined;
  #hung = false;
  #activatedAt: number | undefined;
  #wasAskedToEnd = false;
  #listens = false;
  #killAt = Infinity;

  constructor({ child, identity, config, clock, bootLimitMs = BOOT_LIMIT_MS, onChange }: WorkerHandleOptions) {
    this.identity = identity;
    this.config = config;
    this.pid = child.pid;
    this.forkedAt = clock.now();
    this.#child = child;
    this.#clock = clock;
    this.#onChange = onChange;
    this.counts = new CountSet(identity.workerId);
    this.#changes = new Changes(clock);
    this.#bootLimitMs = bootLimitMs;
    this.#patience = new Patience({ clock, bootLimitMs, effort: () => child.effort() });
    this.#consumers.add(consumerName(identity.workerId, child.pid, identity.nonce));
    child.onMessage((value) => this.#receive(readToPrimary(value)));
    child.onExit((exit) => {
      this.#exit ??= exit;
      this.#stage = 'gone';
      this.#changed();
    });
  }

  get workerId(): string {
    return this.identity.workerId;
  }

  /** How log lines name it. */
  get title(): string {
    return `Worker ${this.workerId} (pid ${this.pid})`;
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Every name under which it may hold claims. */
  get consumers(): ReadonlySet<string> {
    return this.#consumers;
  }

  get hasBooted(): boolean {
    return this.#hasBooted;
  }

  /** It booted, and Redis answered it while it did. */
  get redisReached(): boolean {
    return this.#redisReached;
  }

  /** False = the main server told it, as it booted, that there is no route for deliveries. */
  get hasRoute(): boolean {
    return this.#hasRoute;
  }

  get bootFailure(): Pick<BrokerError, 'code' | 'message'> | undefined {
    return this.#bootFailure;
  }

  get activatedAt(): number | undefined {
    return this.#activatedAt;
  }

  /** drain() or kill() was called: an exit is no crash. */
  get wasAskedToEnd(): boolean {
    return this.#wasAskedToEnd;
  }

  /** Why we sent SIGKILL, if we did. */
  get killedBecause(): string | undefined {
    return this.#killedBecause;
  }

  /** That was for its silence while it should work. */
  get hung(): boolean {
    return this.#hung;
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** At work, and yet three beats are missing: it may hang. */
  get isSilent(): boolean {
    return this.#stage === 'active' && this.#patience.isSilent;
  }

  /** When the last beat came, monotonic ms. */
  get beatAt(): number {
    return this.#patience.heardAt;
  }

  /** It takes messages, whatever else it complains of. */
  get isConsuming(): boolean {
    return this.#stage === 'active' && this.beat?.consuming === true && !this.isSilent;
  }

  /** It has just been told to claim, or to claim no more, and complains of nothing. */
  get isBetweenTwo(): boolean {
    if (this.#stage === 'quieted') return true;
    return this.#stage === 'active' && !this.isSilent && this.beat?.state !== 'degraded';
  }

  activate(): void {
    if (this.#stage !== 'standby') return;
    this.#stage = 'active';
    this.#activatedAt = this.#clock.now();
    this.#patience.heard();
    this.#child.send({ type: 'activate' });
  }

  /** The stage follows when the child answers. */
  quiet(): void {
    if (this.#stage === 'active') this.#child.send({ type: 'quiet' });
  }

  /** Finish within `deadlineMs`, hand back the rest, exit; SIGKILL 3 s after that. */
  drain(deadlineMs: number): void {
    if (this.#stage === 'ending' || this.#stage === 'gone') return;
    if (this.#activatedAt === undefined) return this.kill();
    this.#stage = 'ending';
    this.#wasAskedToEnd = true;
    this.#killAt = this.#clock.now() + deadlineMs + DRAIN_GRACE_MS;
    this.#child.send({ type: 'drain', deadlineMs });
  }

  /** Hand back everything and exit at once; SIGKILL 0.8 s later, or now when the child does not listen yet. */
  kill(): void {
    if (this.#stage === 'gone') return;
    if (!this.#listens) this.#child.killNow();
    this.#stage = 'ending';
    this.#wasAskedToEnd = true;
    this.#killAt = Math.min(this.#killAt, this.#clock.now() + KILL_GRACE_MS);
    this.#child.send({ type: 'kill' });
  }

  /** SIGKILL, for a child that cannot be talked to. */
  killNow(reason: string): void {
    if (this.#stage === 'gone') return;
    this.#hung ||= this.isSilent;
    this.#killedBecause ??= reason;
    this.#killAt = Infinity;
    this.#child.killNow();
  }

  /** Why the child must get SIGKILL now; undefined = it need not. */
  overdue(): string | undefined {
    if (this.#killedBecause !== undefined) return undefined;
    if (this.#stage === 'booting') {
      return this.#patience.bootIsOver() ? `did not boot within ${this.#bootLimitMs / 1000} s` : undefined;
    }
    if (this.#stage === 'active') {
      return this.#patience.hangs() ? `${CAUSE.hang} for ${BEAT_LIMIT_MS / 1000} s, its event loop hangs` : undefined;
    }
    return this.#clock.now() >= this.#killAt ? 'did not stop in time' : undefined;
  }

  /** Until `overdue` may say something, in ms. */
  dueInMs(): number {
    if (this.#killedBecause !== undefined) return Infinity;
    return this.#stage === 'booting' || this.#stage === 'active'
      ? this.#patience.dueInMs(this.#stage)
      : this.#killAt - this.#clock.now();
  }

  /** Resolves to true as soon as `condition` holds; false when it exits or `timeoutMs` pass first. */
  until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    return this.#changes.until(condition, () => this.#stage === 'gone', timeoutMs);
  }

  #question<Answer>(type: 'collect-gauges' | 'collect-claims'): Question<Answer> {
    return new Question({
      mayAsk: () => this.#stage !== 'gone' && !this.isSilent,
      send: (request) => this.#child.send({ type, request }),
      until: (condition, timeoutMs) => this.until(condition, timeoutMs),
    });
  }

  #receive(message: ToPrimary | undefined): void {
    // its last word may be read after its exit
    if (message?.type === 'counts') this.counts.note(message.counts, this.#clock.now());
    if (message === undefined || this.#stage === 'gone') return;
    switch (message.type) {
      case 'hello':
        this.#listens = true;
        this.#patience.heard();
        this.#child.send({ type: 'configure', config: this.config, identity: this.identity });
        break;
      case 'booted':
        this.#hasBooted = true;
        this.#redisReached = message.redisReached;
        this.#hasRoute = message.hasRoute ?? true;
        if (this.#stage === 'booting') this.#stage = 'standby';
        break;
      case 'boot-failed':
        this.#bootFailure = { code: message.code, message: message.message };
        break;
      case 'beat':
        this.beat = message.beat;
        this.#patience.heard();
        break;
      case 'quieted':
        if (this.#stage === 'active') this.#stage = 'quieted';
        break;
      case 'consumer':
        this.#consumers.add(message.consumer);
        break;
      case 'counts':
        break;
      case 'gauges':
        this.gauges.answer(message.request, message.gauges);
        break;
      case 'claims':
        this.claims.answer(message.request, message.claims);
        break;
    }
    this.#changed();
  }

  #changed(): void {
    this.#changes.tell();
    this.#onChange();
  }
}
