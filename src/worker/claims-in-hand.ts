import { parseMessage } from '../domain/message.js';
import type { Claim } from '../queue/message-queue.js';
import type { ClaimsInHand } from '../shared/ipc.js';

/** They are parsed once more when somebody asks: 4 MB of JSON take some 40 ms. */
const MOST_BYTES = 4_194_304;

/** Ids of what a worker has claimed, the oldest first; of what lies beyond the first 4 MB nothing is said. */
export function claimsInHand(claims: readonly Claim[], notBegun: { has(claim: Claim): boolean }): ClaimsInHand {
  const begun: string[] = [];
  const held: string[] = [];
  let bytes = 0;
  for (const claim of claims) {
    if ((bytes += claim.raw.length) > MOST_BYTES) break;
    const parsed = parseMessage(claim.raw);
    if (parsed.ok) (notBegun.has(claim) ? held : begun).push(parsed.message.id);
  }
  return { begun, held };
}
