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
  /** The oldest first. */
  readonly guests: Set<Guest>;
  readonly pages: Allowance;
  readonly probes: Allowance;
}

/** As many peers are remembered that have no connection just now, so that none gets a new allowance by coming again. */
const REMEMBERED_PEERS = 1_000;

/**
 * Who is connected. There is always room for one more, so that a probe is heard whatever others hold: one connection too
 * many costs the oldest of its own peer, or of the one that has most, an idle one first. Streams are never taken away: they
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
    peer.guests.add(guest);
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
    for (const { guests } of this.#peers.values()) for (const guest of guests) guest.destroy();
  }

  #makeRoom(peer: Peer): boolean {
    if (peer.guests.size >= this.#limits.perPeer) return cutOne(peer.guests);
    if (this.count < this.#limits.inAll) return true;
    const byGreed = [...this.#peers.values()].sort((one, other) => other.guests.size - one.guests.size);
    return byGreed.some(({ guests }) => cutOne(guests));
  }

  #peerOf(name: string): Peer {
    const known = this.#peers.get(name);
    if (known) return known;
    this.#forget();
    const { perSecond } = this.#limits;
    const [pages, probes] = [new Allowance(perSecond, this.#clock), new Allowance(perSecond, this.#clock)];
    const peer = { guests: new Set<Guest>(), pages, probes };
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

function cutOne(guests: Set<Guest>): boolean {
  const all = [...guests];
  const victim = all.find(({ isIdle }) => isIdle) ?? all.find(({ isStreaming }) => !isStreaming);
  if (victim === undefined) return false;
  guests.delete(victim);
  victim.destroy();
  return true;
}
