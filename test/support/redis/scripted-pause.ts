import type { KeptPause, PauseLook, PauseQueue } from '../../../src/queue/background-queue.js';
import { RedisUnavailableError } from '../../../src/shared/errors.js';

/** The pause in memory, as lua/pause/look.lua keeps it for one consumer. */
export class ScriptedPause implements PauseQueue {
  /** What stands under the key. */
  text: string | undefined;
  leftMs: number | undefined;
  refusal: string | undefined;
  /** Of the pause that the consumer has said it keeps. */
  confirmed: string | undefined;
  isUp = true;
  looks = 0;
  #gate: Promise<void> | undefined;

  isReady(): boolean {
    return this.isUp;
  }

  /** Replies are held until what this returns is called. */
  hold(): () => void {
    let open = (): void => undefined;
    this.#gate = new Promise((resolve) => {
      open = () => {
        this.#gate = undefined;
        resolve();
      };
    });
    return open;
  }

  async lookAtPause(kept?: KeptPause): Promise<PauseLook> {
    this.looks += 1;
    const { text, leftMs, refusal } = this;
    if (text === undefined) this.confirmed = undefined;
    else if (kept?.text === text) this.confirmed = kept.id;
    await this.#gate;
    if (!this.isUp) throw new RedisUnavailableError('the reply was lost', true);
    return { text, leftMs, refusal };
  }
}
