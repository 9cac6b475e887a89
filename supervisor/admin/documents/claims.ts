/** Whether claimed messages are held or begun: only the workers know, and only those of this host are asked. */
import type { AnyMessage } from '../../../src/queue/messages/listing.js';
import type { MessageDetails, MessageSummary } from '../shapes/messages.js';
import type { WorkerClaims } from '../shapes/claims.js';
import { messageDetails, messageSummary } from './messages.js';

/** Resolves to what is known, to nothing where nobody answers. Never rejects. */
export type AskClaims = () => Promise<readonly WorkerClaims[]>;

/** A message as it is shown, and who has claimed it. */
interface Seen<Shown extends MessageSummary> {
  readonly shown: Shown;
  readonly consumer: string | undefined;
}

export function seenSummary(message: AnyMessage): Seen<MessageSummary> {
  return { shown: messageSummary(message), consumer: consumerOf(message) };
}

/** @param mostBytes longer messages are cut. */
export async function detailsWithClaims(
  id: string,
  copies: readonly AnyMessage[],
  mostBytes: number,
  ask: AskClaims,
): Promise<MessageDetails> {
  const details = messageDetails(id, copies, mostBytes);
  const seen = details.places.map((shown, at) => ({ shown, consumer: consumerOf(copies[at]) }));
  return { ...details, places: await withClaims(seen, ask) };
}

function consumerOf(message: AnyMessage | undefined): string | undefined {
  return message?.place === 'in_flight' ? message.consumer : undefined;
}

/** Asks only where something is claimed. Of several copies with one id the newest are held: they wait for the others. */
export async function withClaims<Shown extends MessageSummary>(
  seen: readonly Seen<Shown>[],
  ask: AskClaims,
): Promise<readonly Shown[]> {
  if (seen.every(({ consumer }) => consumer === undefined)) return seen.map(({ shown }) => shown);
  const left = new Map<string, { held: number; begun: number }>();
  for (const { consumers, begun, held } of await ask()) {
    for (const consumer of consumers) {
      for (const id of held) countOf(left, consumer, id).held += 1;
      for (const id of begun) countOf(left, consumer, id).begun += 1;
    }
  }
  return seen.map(({ shown, consumer }) => {
    if (consumer === undefined || shown.message_id === null) return shown;
    const count = countOf(left, consumer, shown.message_id);
    if (count.held > 0) {
      count.held -= 1;
      return { ...shown, place: 'held', begun: false };
    }
    if (count.begun === 0) return shown;
    count.begun -= 1;
    return { ...shown, begun: true };
  });
}

function countOf(left: Map<string, { held: number; begun: number }>, consumer: string, id: string) {
  const key = `${consumer} ${id}`;
  const count = left.get(key) ?? { held: 0, begun: 0 };
  left.set(key, count);
  return count;
}
