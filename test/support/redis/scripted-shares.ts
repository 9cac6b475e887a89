import type { Allotment, ShareReport } from '../../../src/domain/flow/fleet-share.js';

/** Of `cap`, the part of the worker at `rank` (from 0) of `members`: the parts of all are the cap. */
export function shareOf(cap: number, rank: number, members: number): number {
  return Math.floor((cap * (rank + 1)) / members) - Math.floor((cap * rank) / members);
}

interface Note {
  readonly slots: number;
  readonly takesPart: boolean;
  readonly number: number;
}

const SETTLING_MS = 6_000;

/** The register and the notes in memory: what share.lua makes of them (test/integration/queue/fleet/shares.test.ts compares). */
export class ScriptedShares {
  /** Those whose claims nobody has recovered. */
  readonly living = new Set<string>();
  readonly notes = new Map<string, Note>();
  #settlingUntil = -Infinity;

  take(consumer: string, report: ShareReport, now: number): Allotment | undefined {
    if (!this.living.has(consumer)) return undefined;
    const own = this.notes.get(consumer);
    if (own && own.number >= report.number) return undefined;
    if (report.isNoted && !own) this.#settlingUntil = now + SETTLING_MS;
    const others = [...this.notes].filter(([name]) => name !== consumer && this.living.has(name));
    const members = others.filter(([, { takesPart }]) => takesPart).map(([name]) => name);
    const rank = members.filter((name) => name < consumer).length;
    const count = members.length + (report.takesPart ? 1 : 0);
    const share = report.takesPart ? shareOf(report.cap, rank, count) : 0;
    const free = Math.max(0, report.cap - others.reduce((sum, [, { slots }]) => sum + slots, 0));
    const most = now < this.#settlingUntil ? Math.min(report.held, free) : free;
    const limit = Math.min(share, most);
    const slots = Math.max(limit, report.held);
    if (slots === 0 && !report.takesPart) this.notes.delete(consumer);
    else this.notes.set(consumer, { slots, takesPart: report.takesPart, number: report.number });
    return { limit, share, members: count };
  }
}
