import type { Concern, StatusFacts } from '../status-document.js';
import { subjectOfHeadline, type Subject } from './headline.js';

/** Since when each cause is there; one that goes away is forgotten. Each look at the status is one at this. */
export class Onsets {
  #since = new Map<Subject, number>();

  /** @param wallNow ms since the Unix epoch. Returns since when what the headline is about is there, ISO 8601. */
  look(status: StatusFacts, concerns: readonly Concern[], wallNow: number): string {
    const subject = subjectOfHeadline(status, concerns);
    const present = new Set<Subject>([...concerns.map(({ cause }) => cause), subject]);
    this.#since = new Map([...present].map((cause) => [cause, this.#since.get(cause) ?? wallNow]));
    return new Date(this.#since.get(subject) ?? wallNow).toISOString();
  }
}
