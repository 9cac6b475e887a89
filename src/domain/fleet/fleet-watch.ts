/**
 * Who of the fleet is still there. Pure but for what it remembers.
 *
 *   alive ──not a word for 15 s──▶ vanished ──a word──▶ alive
 *     └───────the last word of a clean stop──▶ stopped
 *
 * At a first look the age of a word is what Redis's clock says it is. From then on it is the time for which the word has
 * stood still while we looked, by our own clock: a step of Redis's clock makes nobody vanish. Time in which nobody could be
 * heard, since Redis was away or took no writes, does not count.
 */
import type { Member, MemberName } from './member.js';

/** Seven words. */
export const VANISHED_AFTER_MS = 15_000;

const STANDINGS = ['alive', 'vanished', 'stopped'] as const;
export type Standing = (typeof STANDINGS)[number];

/** What Redis holds of the fleet. */
export interface FleetLook {
  /** Its clock, ms since the Unix epoch. */
  readonly redisNow: number;
  readonly members: readonly Member[];
}

export interface WatchedMember extends Member {
  readonly standing: Standing;
  /** Since its last word. */
  readonly silentMs: number;
}

export interface FleetSight {
  readonly redisNow: number;
  /** Those alive first, then who has vanished, then who has stopped; each by name, or the latest first. */
  readonly members: readonly WatchedMember[];
}

/** What is remembered of a member. */
interface Heard {
  readonly word: string;
  /** How long it had been silent when the word was first seen. */
  readonly silentMs: number;
  /** Watched time at which that was. */
  readonly at: number;
}

export class FleetWatch {
  #heard = new Map<string, Heard>();
  #watchedMs = 0;
  #lookedAt: number | undefined;

  /** @param now monotonic ms. @param couldSpeak everybody could write since the last look. */
  look({ redisNow, members }: FleetLook, now: number, couldSpeak = true): FleetSight {
    const gap = now - (this.#lookedAt ?? now);
    this.#lookedAt = now;
    if (couldSpeak) this.#watchedMs += gap;
    const heard = new Map<string, Heard>();
    const seen = members.map((member) => {
      const key = keyOf(member);
      const before = this.#heard.get(key);
      const word = `${member.writer} ${member.saidAt} ${member.state}`;
      const silentBefore = before ? 0 : Math.max(0, redisNow - member.saidAt);
      const entry = before?.word === word ? before : { word, silentMs: silentBefore, at: this.#watchedMs };
      heard.set(key, entry);
      const silentMs = entry.silentMs + this.#watchedMs - entry.at;
      return { ...member, silentMs, standing: standingOf(member, silentMs) };
    });
    this.#heard = heard;
    return { redisNow, members: seen.toSorted(inOrder) };
  }
}

/** How many stand how. */
export function countsOf({ members }: FleetSight): Readonly<Record<Standing, number>> {
  const count = (standing: Standing): number => members.filter((member) => member.standing === standing).length;
  return { alive: count('alive'), vanished: count('vanished'), stopped: count('stopped') };
}

function standingOf({ state }: Member, silentMs: number): Standing {
  if (state === 'stopped') return 'stopped';
  return silentMs >= VANISHED_AFTER_MS ? 'vanished' : 'alive';
}

function inOrder(one: WatchedMember, other: WatchedMember): number {
  const group = STANDINGS.indexOf(one.standing) - STANDINGS.indexOf(other.standing);
  if (group !== 0) return group;
  const latest = one.standing === 'alive' ? 0 : one.silentMs - other.silentMs;
  return latest || (keyOf(one) < keyOf(other) ? -1 : 1);
}

function keyOf({ host, instance }: MemberName): string {
  return `${host}/${instance}`;
}
