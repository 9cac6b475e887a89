import type { Clock } from '../time/clock.js';
import { Allowance } from './allowance.js';

interface Guest {
  readonly isIdle: boolean;
  readonly isStreaming: boolean;
  destroy(): unknown;
}

export interface GuestLimits {
  /** Connections of one peer at a time. */
  readonly perPeer: number;
  readonly inAll: number;
  /** Requests of one peer; probes are counted apart, as many. */
  readonly perSecond: number;
}

interface Peer {
  /** The oldest first, each with when it came, monotonic ms. */
  readonly guests: Map<Guest, number>;
  readonly pages: Allowance;
  readonly probes: Allowance;
}

/**
 * One that has only just come may be a probe whose question is on its way: beside connections that take no answers it would
 * be the only idle one.
 */
const HEARD_OUT_MS = 1_000;

/** As many peers are remembered that have no connection just now, so that none gets a new allowance by coming again. */
const REMEMBERED_PEERS = 1_000;

/**
 * Who is connected. There is always room for one more, so that a probe is heard whatever others hold: one connection too
 * many costs the oldest of its own peer, or of the one that has most, one that idles first. Streams are never taken away: they
 * have a limit of their own.
 */
export class Guests {
  readonly #limits: GuestLimits;
  readonly #clock: Clock;
  readonly #peers = new Map<string, Peer>();

  constructor(limits: GuestLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get count(): number {
    return [...this.#peers.values()].reduce((sum, { guests }) => sum + guests.size, 0);
  }

  /** False when all others are streams. */
  admit(name: string, guest: Guest): boolean {
    const peer = this.#peerOf(name);
    if (!this.#makeRoom(peer)) return false;
    peer.guests.set(guest, this.#clock.now());
    return true;
  }

  leave(name: string, guest: Guest): void {
    this.#peers.get(name)?.guests.delete(guest);
  }

  /** Calls `begin` when the peer may have its next request answered. @returns what takes the question back. */
  enter(name: string, kind: 'pages' | 'probes', begin: () => void): () => void {
    return this.#peerOf(name)[kind].enter(begin);
  }

  cutAll(): void {
    for (const { guests } of this.#peers.values()) for (const guest of guests.keys()) guest.destroy();
  }

  #makeRoom(peer: Peer): boolean {
    const heardOut = this.#clock.now() - HEARD_OUT_MS;
    if (peer.guests.size >= this.#limits.perPeer) return cutOne(peer.guests, heardOut);
    if (this.count < this.#limits.inAll) return true;
    const byGreed = [...this.#peers.values()].sort((one, other) => other.guests.size - one.guests.size);
    return byGreed.some(({ guests }) => cutOne(guests, heardOut));
  }

  #peerOf(name: string): Peer {
    const known = this.#peers.get(name);
    if (known) return known;
    this.#forget();
    const { perSecond } = this.#limits;
    const [pages, probes] = [new Allowance(perSecond, this.#clock), new Allowance(perSecond, this.#clock)];
    const peer = { guests: new Map<Guest, number>(), pages, probes };
    this.#peers.set(name, peer);
    return peer;
  }

  #forget(): void {
    if (this.#peers.size < REMEMBERED_PEERS) return;
    for (const [name, { guests }] of this.#peers) {
      if (guests.size > 0) continue;
      this.#peers.delete(name);
      return;
    }
  }
}

function cutOne(guests: Map<Guest, number>, heardOut: number): boolean {
  const victim = victimOf([...guests], heardOut);
  if (victim === undefined) return false;
  guests.delete(victim);
  victim.destroy();
  return true;
}

/** Of those that have only just come it is one of the kind that is the most: of many that ask nothing, or take no answer. */
function victimOf(guests: readonly (readonly [Guest, number])[], heardOut: number): Guest | undefined {
  const idle = guests.filter(([{ isIdle }]) => isIdle);
  const asking = guests.filter(([{ isIdle, isStreaming }]) => !isIdle && !isStreaming);
  const idlesLong = idle.find(([, cameAt]) => cameAt <= heardOut);
  const [first, second] = idle.length >= asking.length ? [idle, asking] : [asking, idle];
  return (idlesLong ?? first[0] ?? second[0])?.[0];
}
