/** What the workers of this supervisor have claimed and begun: nobody but they can tell. */
import type { ClaimsInHand } from '../../src/shared/ipc.js';
import type { WorkerHandle } from './worker-handle.js';

/** A worker that answers later, or is an earlier build, says nothing. */
const ANSWER_MS = 500;

interface ClaimsOfWorker extends ClaimsInHand {
  /** Every name under which it may hold them. */
  readonly consumers: readonly string[];
}

/** Of those that have answered. Never rejects. */
export async function claimsOf(handles: readonly WorkerHandle[]): Promise<readonly ClaimsOfWorker[]> {
  const asked = handles.filter(({ activatedAt }) => activatedAt !== undefined);
  const answers = await Promise.all(asked.map((handle) => handle.claims.ask(ANSWER_MS)));
  return asked.flatMap(({ consumers }, at) => {
    const claims = answers[at];
    return claims ? [{ consumers: [...consumers], ...claims }] : [];
  });
}
