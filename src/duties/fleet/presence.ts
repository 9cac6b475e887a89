import { memberField, presenceText, type MemberName, type Presence } from '../../domain/fleet/member.js';
import type { FleetQueue } from '../../queue/background-queue.js';
import { isRedisRefusal } from '../../shared/errors.js';
import type { Log } from '../../shared/logger/log.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Duty } from '../duty-failures.js';
import { createRepeatingDuty } from '../repeating-duty.js';

const SAY_EVERY_MS = 2_000;
/** A full Redis, or a user who may not: nobody waits for it. */
const REFUSED_AGAIN_MS = 10_000;
/** Each looks for those who are to be forgotten; what is found late was kept a little longer. */
const SWEEP_EVERY_MS = 600_000;

interface FleetPresenceOptions {
  readonly queue: Pick<FleetQueue, 'isReady' | 'sayInFleet'>;
  readonly name: MemberName;
  /** This process: a name that is never used again, without blanks. */
  readonly writer: string;
  readonly presence: () => Presence;
  /** Each time after it has been said, or refused. */
  readonly onSaid?: (wasTaken: boolean) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Says every 2 s in Redis what this supervisor, or worker alone, is, and at the end that it has stopped. Deliveries have no
 * part in it: where Redis refuses, that is said once.
 */
export function createFleetPresence(options: FleetPresenceOptions): Duty {
  const { queue, clock, log, onSaid = () => Promise.resolve() } = options;
  const speaker = new Speaker(options);
  const duty = createRepeatingDuty({
    name: 'word to the fleet',
    isVital: false,
    isReady: () => queue.isReady(),
    async step() {
      const wasTaken = await speaker.say('now');
      await onSaid(wasTaken);
      return wasTaken ? SAY_EVERY_MS : REFUSED_AGAIN_MS;
    },
    retryMs: SAY_EVERY_MS,
    clock,
    log,
  });
  let stopped: Promise<void> | undefined;
  return {
    get trouble() {
      return duty.trouble;
    },
    start: () => duty.start(),
    stop: () =>
      (stopped ??= (async () => {
        await duty.stop();
        if (speaker.hasSpoken && queue.isReady()) await speaker.say('stopped').catch(() => undefined);
      })()),
  };
}

class Speaker {
  readonly #options: FleetPresenceOptions;
  #field: string;
  #hasSpoken = false;
  #sweptAt = -Infinity;
  #refusedAt: number | undefined;

  constructor(options: FleetPresenceOptions) {
    this.#options = options;
    this.#field = memberField(options.name);
  }

  /** Nobody waits for the last word of one who has said nothing. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** False = Redis refuses it. Rejects with RedisUnavailableError when it is away. */
  async say(what: 'now' | 'stopped'): Promise<boolean> {
    const { queue, name, writer, presence, clock } = this.#options;
    const said = what === 'stopped' ? stopped(presence()) : presence();
    const sweeps = clock.now() - this.#sweptAt >= SWEEP_EVERY_MS;
    try {
      this.#field = await queue.sayInFleet({
        field: this.#field,
        otherField: memberField({ ...name, instance: `${name.instance}-${said.pid}` }),
        writer,
        text: presenceText(said),
        hasSpoken: this.#hasSpoken,
        sweeps,
      });
      this.#hasSpoken = true;
      if (sweeps) this.#sweptAt = clock.now();
      this.#taken();
      return true;
    } catch (error) {
      if (!queue.isReady() || !isRedisRefusal(error)) throw error;
      this.#refused(error.message);
      return false;
    }
  }

  #refused(reason: string): void {
    if (this.#refusedAt !== undefined) return;
    this.#refusedAt = this.#options.clock.now();
    const { host, instance } = this.#options.name;
    this.#options.log.warn(
      `What ${host}/${instance} is cannot be said in Redis, so "fleet" does not show it, and deliveries go on: ${reason}`,
    );
  }

  #taken(): void {
    if (this.#refusedAt === undefined) return;
    const seconds = Math.round((this.#options.clock.now() - this.#refusedAt) / 1_000);
    this.#refusedAt = undefined;
    this.#options.log.info(`"fleet" shows this host again after ${seconds} s`);
  }
}

function stopped(presence: Presence): Presence {
  return {
    ...presence,
    ...{ state: 'stopped', isReady: false, reason: undefined },
    ...{ workersReady: 0, deliveredPerSecond: 0, failedPerSecond: 0 },
  };
}
