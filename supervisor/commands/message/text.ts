/** Messages as a terminal shows them. */
import { printable } from '../../../src/shared/words/escape.js';
import type { FailureDocument, MessageDetails, MessageSummary } from '../../admin/protocol.js';
import { duration } from '../kit/duration.js';
import { table } from '../kit/text-table.js';

const HEADINGS = ['WHERE', 'WHAT', 'ATTEMPTS', 'LAST FAILURE', 'AGE', 'MESSAGE ID', 'CLIENT', 'DOMAIN'];
const LEFT_ALIGNED = new Set([0, 1, 3, 5, 6, 7]);

export function messageTable(messages: readonly MessageSummary[], nowMs: number): string[] {
  return table([HEADINGS, ...messages.map((message) => cells(message, nowMs))], LEFT_ALIGNED);
}

export function followedLine(message: MessageSummary, nowMs: number): string {
  const time = new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ');
  const [, , attempts = '', failure = ''] = cells(message, nowMs);
  const failed = message.attempt_count === 0 ? '' : `, ${attempts} failed (${failure})`;
  return `${time}  ${nameOf(message)}  ${stateWord(message)}: ${detailOf(message, nowMs)}${failed}`;
}

function cells(message: MessageSummary, nowMs: number): string[] {
  const { attempt_count: attempts, last_failure: failure, queued_at: queuedAt } = message;
  return [
    stateWord(message),
    detailOf(message, nowMs),
    String(attempts),
    failure === null ? '-' : printable(failure.reason, 24),
    age(queuedAt, nowMs),
    nameOf(message),
    message.client_id === null ? '-' : printable(message.client_id, 40),
    message.domain === null ? '-' : printable(message.domain, 40),
  ];
}

function nameOf({ message_id: id }: MessageSummary): string {
  return id === null ? '-' : printable(id, 60);
}

/** As it is written on a command line. */
export function placeWord(place: string): string {
  return place.replace('_', '-');
}

/** Of a claimed message whose worker was not asked nobody knows more than that it is claimed. */
function stateWord(message: MessageSummary): string {
  return message.place === 'in_flight' && message.begun === null ? 'claimed' : placeWord(message.place);
}

function detailOf(message: MessageSummary, nowMs: number): string {
  switch (message.place) {
    case 'waiting':
      return `number ${message.number}`;
    case 'in_flight':
    case 'held':
      return ownerText(message);
    case 'retry':
      return message.due_in_seconds <= 0 ? 'due now' : `due in ${duration(Math.ceil(message.due_in_seconds))}`;
    case 'dead':
      return `${printable(message.reason, 40)}, ${age(message.dead_at, nowMs)} ago`;
  }
}

function ownerText({ worker_id: id, host }: { readonly worker_id: string; readonly host: string | null }): string {
  return `${printable(id, 60)}${host === null ? '' : ` on ${printable(host, 60)}`}`;
}

function age(iso: string | null, nowMs: number): string {
  const seconds = (nowMs - Date.parse(iso ?? '')) / 1_000;
  return Number.isFinite(seconds) ? duration(Math.max(0, seconds)) : '-';
}

/** All that is known of one message. */
export function messageLines({ message_id: id, places, failures }: MessageDetails, nowMs: number): string[] {
  const lines = places.flatMap((copy) => [
    `${printable(id, 255)} is ${sentenceOf(copy, nowMs)}.`,
    ...fields([
      ['attempts', `${copy.attempt_count} failed`],
      ['queued', copy.queued_at === null ? '-' : `${copy.queued_at}, ${age(copy.queued_at, nowMs)} ago`],
      ['client', copy.client_id ?? '-'],
      ['domain', copy.domain ?? '-'],
      copy.message === undefined ? ['base64', copy.message_base64 ?? ''] : ['message', copy.message],
    ]),
  ]);
  const title = failures.length === 1 ? 'Its last failed attempt:' : `Its last ${failures.length} failed attempts:`;
  const kept = failures.length === 0 ? [] : [title, ...failureTable(failures)];
  return [...lines, ...kept];
}

function fields(named: readonly (readonly [name: string, value: string])[]): string[] {
  return named.map(([name, value]) => `  ${name.padEnd(8)}  ${printable(value, Infinity)}`);
}

function failureTable(failures: readonly FailureDocument[]): string[] {
  const rows = failures.map(({ at, reason, status, answer, worker_id: worker }) => [
    `  ${printable(at, 30)}`,
    printable(reason, 30),
    status === null ? '-' : String(status),
    printable(worker, 60),
    answer === null ? '-' : printable(answer, 1_000),
  ]);
  return table([['  AT', 'REASON', 'STATUS', 'WORKER', 'ANSWER'], ...rows], new Set([0, 1, 3, 4]));
}

function sentenceOf(message: MessageSummary, nowMs: number): string {
  switch (message.place) {
    case 'waiting':
      return message.number === 1
        ? 'waiting, the next to be claimed'
        : `waiting, number ${message.number} to be claimed`;
    case 'in_flight':
      return message.begun === null ? `claimed by ${ownerText(message)}` : `in flight on ${ownerText(message)}`;
    case 'held':
      return `held by ${ownerText(message)}, its delivery has not begun`;
    case 'retry':
      return `waiting for its retry, ${detailOf(message, nowMs)}`;
    case 'dead':
      return `dead since ${message.dead_at ?? 'an unknown time'}: ${printable(message.error, 300)} (${printable(message.reason, 40)}; letter ${message.key})`;
  }
}
