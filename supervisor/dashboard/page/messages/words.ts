/** A message in the words of a list and of its details. Pure. */
import * as format from '../format.js';
import { printable } from '../../../../src/shared/words/escape.js';
import type { FailureDocument, MessageSummary } from '../../../admin/protocol.js';

export function nameOf({ message_id: id }: MessageSummary): string {
  return id === null ? format.UNKNOWN : printable(id, 255);
}

/** Where exactly. */
export function whereText(message: MessageSummary, now: number): string {
  switch (message.place) {
    case 'waiting':
      return message.number === 1 ? 'the next to be claimed' : `number ${format.count(message.number)}`;
    case 'in_flight':
    case 'held':
      return `${printable(message.worker_id, 60)}${message.host === null ? '' : ` on ${printable(message.host, 60)}`}`;
    case 'retry':
      return message.due_in_seconds <= 0 ? 'due now' : `due in ${inSeconds(message.due_in_seconds)}`;
    case 'dead':
      return `${printable(message.reason, 80)}, ${format.ago(message.dead_at, now)}`;
  }
}

/** When it died or is due; empty = no time belongs to where it is. */
export function whenText(message: MessageSummary, now: number): string {
  if (message.place === 'dead') return format.dateTime(message.dead_at);
  if (message.place !== 'retry') return '';
  return format.dateTime(new Date(now + message.due_in_seconds * 1_000).toISOString());
}

const SENTENCES = {
  waiting: 'waits for a worker',
  in_flight: 'is in flight',
  held: 'is held, its delivery has not begun',
  retry: 'waits for its retry',
  dead: 'is a dead letter',
} as const;

export function sentenceOf(message: MessageSummary, now: number): string {
  const error = message.place === 'dead' ? `. ${printable(message.error, 400)}` : '';
  const when = whenText(message, now);
  const isUnknown = message.place === 'in_flight' && message.begun === null;
  const is = isUnknown ? 'is claimed' : SENTENCES[message.place];
  return `It ${is}: ${whereText(message, now)}${when === '' ? '' : ` (${when})`}${error}`;
}

/** `http_503 (503)`, and for a dead letter what it died of. */
export function failureText(message: MessageSummary): string {
  const { last_failure: last } = message;
  const failed = last === null ? '' : answered(last);
  if (message.place !== 'dead') return failed === '' ? format.UNKNOWN : failed;
  return printable(failed === '' ? message.error : `${message.error}, at last ${failed}`, 200);
}

/** One failed attempt, with what the main server answered. */
export function attemptText(failure: FailureDocument): string {
  const { at, worker_id: workerId, answer } = failure;
  const said = answer === null ? '' : `: ${printable(answer, 600)}`;
  return `${format.dateTime(at)}, ${answered(failure)} on ${printable(workerId, 80)}${said}`;
}

function answered({ reason, status }: Pick<FailureDocument, 'reason' | 'status'>): string {
  return `${printable(reason, 80)}${status === null ? '' : ` (${status})`}`;
}

function inSeconds(seconds: number): string {
  return format.longDuration(Math.ceil(seconds));
}
