import type { FleetSeat } from '../../domain/flow/fleet-share.js';
import type { ShareQueue } from '../../queue/message-queue.js';
import type { Log } from '../../shared/logger/log.js';
import type { Clock } from '../../shared/time/clock.js';
import type { Duty } from '../duty-failures.js';
import { createRepeatingDuty } from '../repeating-duty.js';

/** Whether there is something to report; Redis is asked only then. */
const LOOK_EVERY_MS = 100;

interface FleetShareDutyOptions {
  readonly queue: ShareQueue;
  readonly seat: FleetSeat;
  /** MAIN_SERVER_MAX_IN_FLIGHT. */
  readonly cap: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes and gives up this worker's part of what the fleet may have in flight (domain/flow/fleet-share.ts). */
export function createFleetShareDuty(options: FleetShareDutyOptions): Duty {
  const { queue, seat, clock, log } = options;
  const words = new ShareWords(options);
  const duty = createRepeatingDuty({
    name: 'sharing of MAIN_SERVER_MAX_IN_FLIGHT',
    isVital: true,
    isReady: () => queue.isReady(),
    async step() {
      await exchangeReport();
      words.look();
      return LOOK_EVERY_MS;
    },
    retryMs: LOOK_EVERY_MS,
    clock,
    log,
  });

  async function exchangeReport(): Promise<void> {
    const report = seat.report(clock.now());
    if (report) seat.allotted(report, await queue.takeShare(report));
  }

  return {
    get trouble() {
      return duty.trouble;
    },
    start: () => duty.start(),
    async stop() {
      await duty.stop();
      // the loop has ended: nothing is in flight any more, and the others need not wait for the end of our lease
      const last = seat.lastReport();
      if (last && queue.isReady()) await queue.takeShare(last).catch(() => undefined);
    },
  };
}

/** Says once that this worker has no part, and once that it has one again. */
class ShareWords {
  readonly #options: FleetShareDutyOptions;
  #hasPart = true;

  constructor(options: FleetShareDutyOptions) {
    this.#options = options;
  }

  look(): void {
    const { seat, cap, log } = this.#options;
    const { share, members } = seat.allotment ?? {};
    if (share === undefined || seat.isLeaving || share > 0 === this.#hasPart) return;
    this.#hasPart = share > 0;
    if (this.#hasPart) log.info(`Claiming again: its part of MAIN_SERVER_MAX_IN_FLIGHT is ${share} of ${cap}`);
    else {
      log.warn(
        `Claiming nothing: MAIN_SERVER_MAX_IN_FLIGHT is ${cap}, ${members} workers share it, and none of it is left for this one; fewer workers would do as much`,
      );
    }
  }
}
