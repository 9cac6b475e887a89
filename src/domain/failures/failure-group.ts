/**
 * What failed attempts have in common, by which they are counted hour by hour: reason, status, client and domain. An entry
 * of the counts is `<reason> <status> <client> <domain>`, each word encoded, an empty one unknown; its value
 * `<attempts> <first> <last> <id of the last message>`, times in ms since the Unix epoch.
 */
import type { Buffer } from 'node:buffer';
import { decodedWord, encodedWord } from '../dead-letters/index-line.js';
import { scannedTexts } from '../scanned-texts.js';

export interface FailureGroup {
  readonly reason: string;
  /** Undefined = there was no answer. */
  readonly status: number | undefined;
  /** Of the message: `client_id` and `domain`. */
  readonly client: string | undefined;
  readonly domain: string | undefined;
}

export interface CountedFailures {
  /** Undefined = what did not find room among the first groups of its hour. */
  readonly group: FailureGroup | undefined;
  readonly attempts: number;
  /** Milliseconds since the Unix epoch. */
  readonly first: number;
  readonly last: number;
  readonly messageId: string;
}

/** The entry of what finds no room. No group has it: each has three blanks. */
export const OTHER_FAILURES = 'other';
/** A client's name is text of others, and there are up to a thousand in an hour. */
const WORD_LENGTH = 100;

/** Producers put it at the front; behind so many bytes it is not looked for. */
const SCANNED_BYTES = 16_384;

/** Of a message that is valid; undefined = unknown. */
export function domainOf(raw: Buffer): string | undefined {
  return scannedTexts(raw.subarray(0, SCANNED_BYTES), ['domain'])['domain'];
}

export function groupEntry({ reason, status, client = '', domain = '' }: FailureGroup): string {
  return [reason, String(status ?? ''), client, domain].map((word) => encodedWord(word, WORD_LENGTH)).join(' ');
}

/** Undefined = no worker wrote it. */
export function readCount(entry: string, value: string): CountedFailures | undefined {
  const [, attempts, first, last, id] = /^(\d+) (\d+) (\d+) (.*)$/s.exec(value) ?? [];
  const words = entry.split(' ');
  if (id === undefined || (entry !== OTHER_FAILURES && words.length !== 4)) return undefined;
  return {
    group: entry === OTHER_FAILURES ? undefined : groupOf(words),
    attempts: Number(attempts),
    first: Number(first),
    last: Number(last),
    messageId: decodedWord(id) ?? '',
  };
}

function groupOf([reason = '', status = '', client = '', domain = '']: readonly string[]): FailureGroup {
  return {
    reason: decodedWord(reason) ?? '',
    status: /^\d{1,3}$/.test(status) ? Number(status) : undefined,
    client: decodedWord(client),
    domain: decodedWord(domain),
  };
}
