import {
  FleetWatch,
  VANISHED_AFTER_MS,
  type FleetSight,
  type WatchedMember,
} from '../../src/domain/fleet/fleet-watch.js';
import type { MemberName, Presence } from '../../src/domain/fleet/member.js';
import { createFleetPresence } from '../../src/duties/fleet/presence.js';
import { RedisUnavailableError, reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { printable } from '../../src/shared/words/escape.js';
import type { Borrowed, QueueAccess, QueueSettings } from './queue-access.js';

const LOOK_EVERY_MS = 2_000;
/** All look at all: what a look costs grows with the fleet, and with it how many look. */
const LOOK_EVERY_MS_FOR_EACH = 40;
/** Words further apart than this had an outage in between: nobody could speak. */
const OUTAGE_MS = 8_000;
/** Whoever asks gets what was seen within this time. */
const FRESH_MS = 1_000;

interface FleetKeepingOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  readonly settings: QueueSettings;
  readonly name: MemberName;
  /** Of this supervisor; no other process has it. */
  readonly id: string;
  readonly presence: () => Presence;
  readonly log: Log;
  readonly clock: Clock;
}

/** The fleet of one queue. */
interface Book {
  readonly of: string;
  readonly connection: Borrowed;
  readonly duty: ReturnType<typeof createFleetPresence>;
  readonly watch: FleetWatch;
}

/** Says for this supervisor what it is, and watches what the others say. */
export class FleetKeeping implements Life {
  readonly #options: FleetKeepingOptions;
  #book: Book | undefined;
  #books = 0;
  #stopped = false;
  #sight: FleetSight | undefined;
  #lookedAt = -Infinity;
  #looking: Promise<FleetSight> | undefined;
  #saidAt: number | undefined;
  /** Since the last look. */
  #couldSpeak = true;
  /** Redis took no word of ours the last time. */
  #isRefused = false;

  constructor(options: FleetKeepingOptions) {
    this.#options = options;
  }

  /** @throws ConfigError when REDIS_TLS_CA_PATH cannot be read. */
  start(): void {
    if (!this.#stopped) this.#book ??= this.#open(this.#options.settings);
  }

  /** From now on it belongs to the fleet of this queue, and has stopped in the former. Rejects with ConfigError as `start`. */
  async adopt({ redis, queue }: QueueSettings): Promise<void> {
    const former = this.#book;
    if (this.#stopped || former?.of === nameOf({ redis, queue })) return;
    this.#book = this.#open({ redis, queue });
    await end(former);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await end(this.#book);
  }

  /** Why nothing can be said; undefined = all is well. */
  get trouble(): Book['duty']['trouble'] {
    return this.#book?.duty.trouble;
  }

  /** The last look; undefined before the first, and where Redis does not let us look. */
  get sight(): FleetSight | undefined {
    return this.#sight;
  }

  /** Not older than a second. Rejects with RedisUnavailableError. */
  async look(): Promise<FleetSight> {
    const { clock } = this.#options;
    if (this.#sight && clock.now() - this.#lookedAt < FRESH_MS) return this.#sight;
    const book = this.#book;
    if (!book) throw new RedisUnavailableError('The supervisor is not connected to Redis', false);
    return (this.#looking ??= this.#look(book).finally(() => (this.#looking = undefined)));
  }

  async #look({ connection, watch }: Book): Promise<FleetSight> {
    const { clock } = this.#options;
    const look = await connection.queue.fleet();
    const before = this.#sight;
    const now = clock.now();
    const couldSpeak = this.#couldSpeak && !this.#isRefused && !this.#isOutageAt(now);
    const sight = watch.look(look, now, couldSpeak);
    this.#couldSpeak = true;
    if (watch !== this.#book?.watch) return sight;
    this.#lookedAt = now;
    this.#sight = sight;
    this.#tell(before, sight);
    return sight;
  }

  #open(settings: QueueSettings): Book {
    const { access, id, name, presence, clock, log } = this.#options;
    const connection = access.borrow(settings);
    const queue = { ...connection.queue, isReady: () => connection.isReady() };
    this.#sight = undefined;
    this.#books += 1;
    const writer = `${id}.${this.#books}`;
    const onSaid = (wasTaken: boolean): Promise<void> => this.#said(wasTaken);
    const duty = createFleetPresence({ queue, name, writer, presence, onSaid, clock, log });
    const book = { of: nameOf(settings), connection, duty, watch: new FleetWatch() };
    void duty.start();
    return book;
  }

  async #said(wasTaken: boolean): Promise<void> {
    const { clock, log } = this.#options;
    const now = clock.now();
    if (this.#isRefused || this.#isOutageAt(now)) this.#couldSpeak = false;
    this.#isRefused = !wasTaken;
    this.#saidAt = now;
    const everyMs = Math.max(LOOK_EVERY_MS, (this.#sight?.members.length ?? 0) * LOOK_EVERY_MS_FOR_EACH);
    if (now - this.#lookedAt < everyMs) return;
    await this.look().catch((error: unknown) => {
      this.#sight = undefined;
      log.debug(`The fleet cannot be looked at: ${reasonOf(error)}`);
    });
  }

  #isOutageAt(now: number): boolean {
    return now - (this.#saidAt ?? now) > OUTAGE_MS;
  }

  /** Once each, on every host that is left. */
  #tell(before: FleetSight | undefined, { members }: FleetSight): void {
    const { log } = this.#options;
    const known = new Map(before?.members.map((member) => [nameIn(member), member.standing]));
    for (const member of members) {
      const was = known.get(nameIn(member));
      if (was === 'alive' && member.standing === 'vanished') log.warn(vanished(member));
      if (was === 'vanished' && member.standing === 'alive') log.info(`${nameIn(member)} is heard of again`);
    }
  }
}

function vanished(member: WatchedMember): string {
  const { kind, pid, workersWanted: workers } = member;
  const what =
    kind === 'worker'
      ? `a worker (pid ${pid})`
      : `a supervisor (pid ${pid}) of ${workers === 1 ? 'one worker' : `${workers} workers`}`;
  return `${nameIn(member)} has not been heard of for ${VANISHED_AFTER_MS / 1_000} s: ${what} died, or cannot reach Redis`;
}

function nameIn({ host, instance }: MemberName): string {
  return printable(`${host}/${instance}`, 200);
}

function nameOf({ redis, queue }: QueueSettings): string {
  return JSON.stringify([redis, queue]);
}

async function end(book: Book | undefined): Promise<void> {
  await book?.duty.stop();
  await book?.connection.release();
}
