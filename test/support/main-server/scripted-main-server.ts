import type { MainServer, StatusUpdate } from '../../../src/delivery/main-server.js';
import type { Deadline } from '../../../src/shared/time/deadline.js';
import type { ProbeResult } from '../../../src/domain/flow/circuit-breaker.js';
import { outcomeOfErrorCode, outcomeOfStatus, type DeliveryOutcome } from '../../../src/domain/delivery-outcome.js';

export const DELIVERED = outcomeOfStatus(200, '');
export const FAILED = outcomeOfStatus(500, 'Internal Server Error');
/** The application's own 404: it does not know the message, yet. */
export const UNREGISTERED = outcomeOfStatus(404, '{"error":"Message not found: m","status_code":404}');
export const REFUSED = outcomeOfErrorCode('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:8000');
const ABORTED: DeliveryOutcome = { kind: 'aborted' };

/** A request that waits for the test's answer. */
interface Held<Result> {
  answer(result: Result): void;
}

interface HeldPost extends Held<DeliveryOutcome> {
  readonly id: string;
}

interface HeldPut extends Held<DeliveryOutcome> {
  readonly id: string;
  readonly update: StatusUpdate;
  /** Left of its time when it came. */
  readonly deadlineMs: number;
}

/** A main server that answers what the test tells it to: at once, or when the test does. */
export class ScriptedMainServer implements Pick<MainServer, 'deliver' | 'updateStatus' | 'probe'> {
  /** All that came, answered or not. */
  readonly posts: HeldPost[] = [];
  readonly puts: HeldPut[] = [];
  readonly probes: Held<ProbeResult>[] = [];
  #postOutcome: DeliveryOutcome | undefined;
  #putOutcome: DeliveryOutcome | undefined;

  /** Each POST from now on is answered so at once; undefined = held. */
  answerPosts(outcome: DeliveryOutcome | undefined): void {
    this.#postOutcome = outcome;
  }

  answerPuts(outcome: DeliveryOutcome | undefined): void {
    this.#putOutcome = outcome;
  }

  /** The newest POST of that message. */
  post(id: string): HeldPost {
    const post = this.posts.findLast((each) => each.id === id);
    if (!post) throw new Error(`ScriptedMainServer: no POST of ${id} among ${this.ids.join(', ')}`);
    return post;
  }

  get ids(): string[] {
    return this.posts.map(({ id }) => id);
  }

  deliver(id: string, signal: AbortSignal, onOutcome?: (outcome: DeliveryOutcome) => void): Promise<DeliveryOutcome> {
    const { held, answered } = heldUntil(signal, onOutcome);
    this.posts.push({ ...held, id });
    const outcome = this.#postOutcome;
    // as an answer over a network: never before the request is made
    if (outcome) queueMicrotask(() => held.answer(outcome));
    return answered;
  }

  updateStatus(id: string, update: StatusUpdate, deadline: Deadline, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { held, answered } = heldUntil(signal);
    this.puts.push({ ...held, id, update, deadlineMs: deadline.leftMs });
    if (this.#putOutcome) held.answer(this.#putOutcome);
    return answered;
  }

  probe(): Promise<ProbeResult> {
    return new Promise((resolve) => this.probes.push({ answer: resolve }));
  }
}

function heldUntil(
  signal: AbortSignal,
  onOutcome: (outcome: DeliveryOutcome) => void = () => undefined,
): {
  readonly held: Held<DeliveryOutcome>;
  readonly answered: Promise<DeliveryOutcome>;
} {
  let answer: (outcome: DeliveryOutcome) => void = () => undefined;
  const answered = new Promise<DeliveryOutcome>((resolve) => {
    let isAnswered = false;
    answer = (outcome) => {
      if (isAnswered) return;
      isAnswered = true;
      onOutcome(outcome);
      resolve(outcome);
    };
    if (signal.aborted) answer(ABORTED);
    signal.addEventListener('abort', () => answer(ABORTED));
  });
  return { held: { answer }, answered };
}
