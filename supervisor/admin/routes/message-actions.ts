import type { Deed } from '../../../src/domain/audit/deed.js';
import { FAILURE_REASONS } from '../../../src/domain/delivery-outcome.js';
import { isUnfiltered, type MessageFilter } from '../../../src/domain/filter/message-filter.js';
import type { MeantMessage } from '../../../src/queue/actions/run.js';
import type { Config } from '../../../src/shared/config/config.js';
import type { Clock } from '../../../src/shared/time/clock.js';
import { actionDocument } from '../documents/actions.js';
import { flag, oneOf, readFields, seconds, type Fields } from '../fields.js';
import { DEAD_LETTER_FILTER, filterOfFields, IDS } from '../filter-fields.js';
import type { MessageRunAnswer, MessageRunFields } from '../protocol.js';
import { RequestError, route, type AdminRequest, type Answer, type Route } from '../route.js';
import { answerFromQueue } from './on-queue.js';

const FIELDS: Fields<MessageRunFields> = {
  ...DEAD_LETTER_FILTER,
  ...IDS,
  reason: oneOf<string>([...FAILURE_REASONS]),
  due_within_seconds: seconds,
  dry_run: flag,
  all: flag,
};
const MOST_NAMED = 1_000;

type Kind = 'retry' | 'cancel';

interface MessageActionRoutesOptions {
  readonly config: () => Config;
  readonly clock: Clock;
  readonly audit: { note(deed: Deed): Promise<void> };
}

export function messageActionRoutes(options: MessageActionRoutesOptions): readonly Route[] {
  return [
    route('retryMessages', (request) => actOnMany(options, 'retry', request)),
    route('cancelMessages', (request) => actOnMany(options, 'cancel', request)),
    route('retryMessage', (request) => actOnOne(options, 'retry', request)),
    route('cancelMessage', (request) => actOnOne(options, 'cancel', request)),
  ];
}

async function actOnMany(
  options: MessageActionRoutesOptions,
  kind: Kind,
  request: AdminRequest,
): Promise<Answer<MessageRunAnswer>> {
  const given = readFields<MessageRunFields>(request.fields, FIELDS);
  const { dry_run: dryRun = false, all = false, due_within_seconds: dueWithin, ...which } = given;
  const filter: MessageFilter = {
    ...filterOfFields(which),
    ...(dueWithin === undefined ? {} : { dueWithinMs: dueWithin * 1_000 }),
  };
  if (isUnfiltered(filter) && !all && !dryRun) {
    throw new RequestError(
      400,
      `This would ${kind} every message; name ids, a client, an age, ..., or set all to true.`,
    );
  }
  return act(options, request, { kind, filter, which, dryRun });
}

async function actOnOne(
  options: MessageActionRoutesOptions,
  kind: Kind,
  request: AdminRequest<'id'>,
): Promise<Answer<MessageRunAnswer>> {
  readFields<object>(request.fields, {});
  const { id } = request.params;
  const answer = await act(options, request, { kind, filter: { ids: [id] }, which: { ids: [id] }, dryRun: false });
  if (answer.body.matched > 0) return answer;
  const where = kind === 'retry' ? 'waits for no retry' : 'waits neither for a worker nor for its retry';
  throw new RequestError(404, `This message ${where}: it is claimed, dead, delivered, removed or was never seen.`);
}

interface Asked {
  readonly kind: Kind;
  readonly filter: MessageFilter;
  /** As it was asked for. */
  readonly which: object;
  readonly dryRun: boolean;
}

/** It ends after the step in which the client hangs up. */
async function act(
  { config, clock, audit }: MessageActionRoutesOptions,
  { by, isAbandoned }: Pick<AdminRequest, 'by' | 'isAbandoned'>,
  { kind, filter, which, dryRun }: Asked,
): Promise<Answer<MessageRunAnswer>> {
  // it may be killed midway
  if (!dryRun) void audit.note({ ...by, action: kind, filter: which, detail: 'begins' });
  const met: MeantMessage[] = [];
  const stop = new AbortController();
  const answer = await answerFromQueue(config(), clock, async ({ actions }) => {
    const progress = await actions[kind]({
      filter,
      dryRun,
      signal: stop.signal,
      onProgress: () => isAbandoned() && stop.abort(),
      ...(dryRun ? { onMeant: (message) => met.length < MOST_NAMED && met.push(message) } : {}),
    });
    return actionDocument(progress, dryRun ? met : undefined);
  });
  const detail = answer.body.interrupted ? 'interrupted' : undefined;
  if (!dryRun) await audit.note({ ...by, action: kind, filter: which, count: answer.body.done, detail });
  return answer;
}
