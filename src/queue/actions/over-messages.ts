import type { Found, RetryingMessage, WaitingMessage } from '../messages/found.js';
import type { WalkStep } from '../messages/walk.js';
import type { ActionRun, Tally } from './run.js';

type Acted = RetryingMessage | WaitingMessage;

/** Does `act` to all that a walk meets, a step after the other; ends before the next one where somebody wants that. */
export async function overMessages<Message extends Acted>(
  walk: AsyncIterable<WalkStep<Message>>,
  run: ActionRun,
  tally: Tally,
  act: (meant: readonly Message[]) => Promise<void>,
): Promise<void> {
  for await (const { found, looked } of walk) {
    if (run.signal?.aborted) return void (tally.isInterrupted = true);
    tally.meant += found.length;
    for (const message of found) noteMet(tally, run, message);
    await act(found);
    tally.seen += looked;
    run.onProgress?.({ ...tally });
  }
}

function noteMet(tally: Tally, { filter, onMeant }: ActionRun, message: Acted & Found): void {
  const { place, messageId } = message;
  onMeant?.({ place, messageId });
  if (filter.ids && messageId !== undefined) tally.met.add(messageId);
}
