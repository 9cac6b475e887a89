/** A status PUT that wants a place. */
export interface Telling {
  /** False = it is over without having been sent: its time is up, or it is another's to say. It has said so itself. */
  isWanted(): boolean;
  /** It has a place, until `release`. */
  begin(): void;
}

/**
 * Who of the status PUTs has a place at the main server (domain/flow/places.ts says how many there are).
 *
 *   ask ──▶ waiting, in order ──look: there is room──▶ sending ──release──▶ over
 *              └──look: no longer wanted──▶ over
 *
 * The work loop looks at each of its turns, and leaves the places of what waits to it.
 */
export class StatusPlaces {
  readonly #waiting: Telling[] = [];
  #sending = 0;
  /** Whether one more may be sent beside so many. The work loop sets both. */
  hasRoom: (sending: number) => boolean = () => true;
  /** A place became free that no PUT wants. */
  onFree: () => void = () => undefined;

  get sending(): number {
    return this.#sending;
  }

  /** Being sent, or wanted to be. */
  get wanted(): number {
    return this.#sending + this.#waiting.length;
  }

  ask(telling: Telling): void {
    this.#waiting.push(telling);
    this.look();
  }

  release(): void {
    this.#sending -= 1;
    const left = this.#sending;
    this.look();
    if (this.#sending === left) this.onFree();
  }

  /** Resolves to true when it has a place, to false when `signal` came first, or `isWanted` says so. */
  take(isWanted: () => boolean, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (has: boolean): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(has);
      };
      const telling: Telling = {
        isWanted: () => isWanted() || (end(false), false),
        begin: () => end(true),
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(telling), 1);
        end(false);
      };
      signal.addEventListener('abort', giveUp);
      this.ask(telling);
    });
  }

  look(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (next.isWanted()) {
        if (!this.hasRoom(this.#sending)) return;
        this.#sending += 1;
        this.#waiting.shift();
        next.begin();
      } else this.#waiting.shift();
    }
  }
}
