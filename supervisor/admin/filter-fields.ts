/** Which messages a request means: the fields of a query or a body that say so. */
import { UNREADABLE } from '../../src/domain/dead-letters/index-line.js';
import { DEAD_LETTER_REASONS } from '../../src/domain/dead-letters/reasons.js';
import { FAILURE_REASONS } from '../../src/domain/delivery-outcome.js';
import {
  contradictionIn,
  PLACES,
  type MessageFilter,
  type MessagePlace,
} from '../../src/domain/filter/message-filter.js';
import { MOMENT_EXPECTED, parseMoment } from '../../src/domain/filter/moment.js';
import { oneOf, seconds, texts, word, type Field, type Fields } from './fields.js';
import type { DeadLetterFields, MessageFields } from './protocol.js';
import { RequestError } from './route.js';

export const moment: Field<string> = {
  expects: MOMENT_EXPECTED,
  read: (value) => (typeof value === 'string' && parseMoment(value) !== undefined ? value : undefined),
};

export const DEAD_LETTER_FILTER: Fields<DeadLetterFields> = {
  reason: oneOf<string>([...DEAD_LETTER_REASONS, UNREADABLE, ...FAILURE_REASONS]),
  client: word,
  domain: word,
  id: word,
  id_prefix: word,
  text: word,
  answer: word,
  older_than_seconds: seconds,
  newer_than_seconds: seconds,
  since: moment,
  until: moment,
};

/** Commas between them, and a hyphen where the command line has one. */
const places: Field<string> = {
  expects: `one of ${PLACES.join(', ')}, or several with commas between them`,
  read: (value) => (typeof value === 'string' && placesOf(value) !== undefined ? value : undefined),
};

export const MESSAGE_FILTER: Fields<MessageFields> = {
  ...DEAD_LETTER_FILTER,
  reason: oneOf<string>([...DEAD_LETTER_REASONS, UNREADABLE, ...FAILURE_REASONS]),
  in: places,
  due_within_seconds: seconds,
};

function placesOf(text: string): readonly MessagePlace[] | undefined {
  const words = text.split(',').map((word) => PLACES.find((place) => place === word.replace('-', '_')));
  return words.every((word) => word !== undefined) ? words : undefined;
}

/** The body of a POST may name several ids. */
export const IDS = { ids: texts };

/** @throws RequestError 400 for what can mean no message. */
export function filterOfFields(fields: MessageFields & { readonly ids?: readonly string[] }): MessageFilter {
  const filter = givenBy(fields);
  const contradiction = contradictionIn(filter);
  if (contradiction !== undefined) throw new RequestError(400, contradiction);
  return filter;
}

function givenBy(fields: MessageFields & { readonly ids?: readonly string[] }): MessageFilter {
  const { reason, client, domain, text, answer, id, ids = id === undefined ? undefined : [id] } = fields;
  const all: { readonly [Name in keyof MessageFilter]: MessageFilter[Name] | undefined } = {
    ...{ reason, client, domain, text, answer, ids },
    places: fields.in === undefined ? undefined : placesOf(fields.in),
    idPrefix: fields.id_prefix,
    olderThanMs: times1000(fields.older_than_seconds),
    newerThanMs: times1000(fields.newer_than_seconds),
    sinceMs: fields.since === undefined ? undefined : parseMoment(fields.since),
    dueWithinMs: times1000(fields.due_within_seconds),
    untilMs: fields.until === undefined ? undefined : parseMoment(fields.until),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function times1000(number: number | undefined): number | undefined {
  return number === undefined ? undefined : number * 1_000;
}
