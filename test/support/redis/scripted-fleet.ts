import type { FleetLook } from '../../../src/domain/fleet/fleet-watch.js';
import { readMember, type Member } from '../../../src/domain/fleet/member.js';
import type { FleetQueue, FleetWord } from '../../../src/queue/background-queue.js';
import { RedisUnavailableError, UnusableRedisError } from '../../../src/shared/errors.js';
import type { Clock } from '../../../src/shared/time/clock.js';

/** A fleet that hears as Redis does, by a clock of its own, or refuses as the test says. */
export class ScriptedFleet implements FleetQueue {
  readonly words: FleetWord[] = [];
  readonly #clock: Clock;
  readonly #said = new Map<string, string>();
  isUp = true;
  refusal: string | undefined;
  hasRoom = true;
  mayRead = true;
  looks = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isReady(): boolean {
    return this.isUp;
  }

  async sayInFleet(word: FleetWord): Promise<string> {
    if (!this.isUp) throw new RedisUnavailableError('it is away', true);
    if (this.refusal !== undefined) throw new RedisUnavailableError(this.refusal, false);
    if (!this.hasRoom) throw new UnusableRedisError('no room');
    this.words.push(word);
    this.say(word.field, word.writer, word.text);
    return word.field;
  }

  /** Another one's word. */
  say(field: string, writer: string, text: string): void {
    this.#said.set(field, `${this.#clock.wallNow()} ${writer} ${text}`);
  }

  async fleet(): Promise<FleetLook> {
    this.looks += 1;
    if (!this.isUp) throw new RedisUnavailableError('it is away', true);
    if (!this.mayRead) throw new RedisUnavailableError('NOPERM', false);
    const members = [...this.#said].map(([field, text]) => readMember(field, text));
    return { redisNow: this.#clock.wallNow(), members: members.filter((one): one is Member => one !== undefined) };
  }
}
