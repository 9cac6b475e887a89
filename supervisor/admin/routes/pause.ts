import { randomBytes } from 'node:crypto';
import type { Act, Deed, Operator } from '../../../src/domain/audit/deed.js';
import type { Confirmations } from '../../../src/queue/pause/pausing.js';
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import type { Config } from '../../../src/shared/config/config.js';
import type { Clock } from '../../../src/shared/time/clock.js';
import { RedisUnavailableError } from '../../../src/shared/errors.js';
import { pausedStatus } from '../../status/documents/status-builder.js';
import { pauseDetail } from '../documents/marks.js';
import { readFields, wholeNumber, word } from '../fields.js';
import { SCHEMA_VERSION, type Requests } from '../protocol.js';
import { RequestError, route, type Route } from '../route.js';
import type { PauseAnswer, ResumeAnswer } from '../shapes/deeds.js';
import { answerFromQueue } from './on-queue.js';

/** Workers look each second; after this the operator is told who has not confirmed. */
const CONFIRM_MS = 5_000;
export const LONGEST_REASON = 300;
export const SHORTEST_PAUSE_S = 1;
export const LONGEST_PAUSE_S = 366 * 86_400;
const SHOWN_CONSUMERS = 10;

interface PauseRoutesOptions {
  readonly config: () => Config;
  readonly clock: Clock;
  readonly audit: { note(deed: Deed): Promise<void> };
}

export function pauseRoutes({ config, clock, audit }: PauseRoutesOptions): readonly Route[] {
  const noteFor = (by: Operator) => (act: Act) => audit.note({ ...act, ...by });
  return [
    route('pause', async ({ fields, by }) => {
      const { reason = '', for_seconds: seconds } = readFields<Requests['pause']>(fields, {
        reason: word,
        for_seconds: wholeNumber(SHORTEST_PAUSE_S, LONGEST_PAUSE_S),
      });
      if (reason.length > LONGEST_REASON) {
        throw new RequestError(400, `reason may have ${LONGEST_REASON} characters at most.`);
      }
      const wanted = { ...by, why: reason, forMs: seconds === undefined ? undefined : seconds * 1_000 };
      const answer = await answerFromQueue(config(), clock, (queue) => pauseDeliveries(queue, wanted, noteFor(by)));
      return answer.body.complete ? answer : { ...answer, status: 500 };
    }),
    route('resume', ({ fields, by }) => {
      readFields<object>(fields, {});
      return answerFromQueue(config(), clock, (queue) => resumeDeliveries(queue, noteFor(by)));
    }),
  ];
}

interface Wanted extends Operator {
  readonly why: string;
  readonly forMs: number | undefined;
}

type Note = (act: Act) => Promise<void>;

/** Also what the command does: pauses, writes that down, and waits until all have confirmed it, 5 s at most. */
export async function pauseDeliveries(queue: OperatorQueue, wanted: Wanted, note: Note): Promise<PauseAnswer> {
  const { pausing } = queue;
  const { replaced, ...pause } = await pausing.begin({ ...wanted, id: randomBytes(6).toString('hex') });
  // before all have confirmed it: whoever asks may be killed while he waits
  const detail = pauseDetail(wanted.forMs && Math.round(wanted.forMs / 1_000), wanted.why);
  const noted = note({ action: 'pause', ...(detail === '' ? {} : { detail }) });
  const looking = Promise.all([pausing.whenConfirmed(pause.id, CONFIRM_MS), noted]);
  const [found] = await looking.catch(sayThatItMayStand);
  const [poppers, { processing }] = await Promise.all([pausing.plainPoppers(), queue.sizes()]).catch(sayThatItMayStand);
  const complete = found.missing.length === 0 && !found.isOver;
  return {
    schema_version: SCHEMA_VERSION,
    complete,
    ...(complete ? {} : { error: whyIncomplete(found) }),
    ...pausedStatus(pause),
    confirmed: found.confirmed,
    missing: found.missing,
    processing,
    plain_poppers: poppers,
    replaced: replaced ? pausedStatus(replaced) : null,
  };
}

function sayThatItMayStand(error: unknown): never {
  if (!(error instanceof RedisUnavailableError)) throw error;
  const { message, outcomeUnknown, cause } = error;
  throw new RedisUnavailableError(
    `${message}. Deliveries are paused all the same, and who has confirmed it is not known`,
    outcomeUnknown,
    { cause },
  );
}

/** Also what the command does. */
export async function resumeDeliveries({ pausing }: OperatorQueue, note: Note): Promise<ResumeAnswer> {
  const ended = await pausing.finish();
  if (ended) await note({ action: 'resume', detail: `it was paused by ${ended.who || 'unknown'}` });
  return { schema_version: SCHEMA_VERSION, ended: ended ? pausedStatus(ended) : null };
}

function whyIncomplete({ confirmed, missing, isOver }: Confirmations): string {
  if (isOver) return 'The pause has ended already, or somebody has put another one in its place: ask for the status.';
  const more = missing.length > SHOWN_CONSUMERS ? `, and ${missing.length - SHOWN_CONSUMERS} more` : '';
  const who = missing.slice(0, SHOWN_CONSUMERS).map(consumerWords).join(', ');
  return (
    `The pause stands, but ${missing.length} of ${missing.length + confirmed.length} workers have not confirmed it within ` +
    `${CONFIRM_MS / 1_000} s and may still begin deliveries: ${who}${more}. They hang, have just died, or are of version 1.0, ` +
    'which knows no pause.'
  );
}

/** `worker-1 on web-2 (pid 4711)`. */
function consumerWords(consumer: string): string {
  const [, worker, host, pid] = /^(.*)@([^@/]*)\/[0-9a-f]+\.(\d+)\.[^.]*$/.exec(consumer) ?? [];
  return worker === undefined ? consumer : `${worker} on ${host} (pid ${pid})`;
}
