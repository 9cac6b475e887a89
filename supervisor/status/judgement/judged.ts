import type { StatusDocument, StatusFacts } from '../status-document.js';
import { concernsOf } from './concerns.js';
import { headlineOf } from './headline.js';
import type { Onsets } from './onsets.js';

/** @param wallNow ms since the Unix epoch. */
export function judged(facts: StatusFacts, onsets: Onsets, wallNow: number): StatusDocument {
  const concerns = concernsOf(facts);
  return { headline: headlineOf(facts, concerns, onsets.look(facts, concerns, wallNow)), ...facts };
}
