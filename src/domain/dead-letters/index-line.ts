/**
 * The line under which a dead letter stands in the index: `<unique> <reason> <id> <client> <domain>`. Letters are counted,
 * filtered and paged by it, so that none of their bodies is read.
 *
 * Each word is percent-encoded and at most 255 characters long before that; an empty one is unknown. The line is made of
 * the unique and the letter alone, so it can be made again of them.
 */
import type { Buffer } from 'node:buffer';
import type { StoredDeadLetter } from './dead-letter.js';
import { scannedTexts } from '../scanned-texts.js';
import { isUsableId } from '../message.js';

/** The reason in the index of what is no letter that a worker wrote. */
export const UNREADABLE = 'unreadable';

export interface IndexedLetter {
  /** The letter's own for ever. */
  readonly unique: string;
  readonly reason: string;
  /** Undefined when the message has none that can be read. */
  readonly messageId: string | undefined;
  readonly client: string | undefined;
  readonly domain: string | undefined;
}

const WORD_LENGTH = 255;
/** The three names stand at the front of a message; of one of hundreds of MB no more than this is looked at. */
const SCANNED_BYTES = 1_048_576;

/** @param letter undefined = it is no envelope. */
export function indexLine(unique: string, letter: StoredDeadLetter | undefined): string {
  return `${unique} ${indexWords(letter)}`;
}

/** The line without its unique. */
export function indexWords(letter: StoredDeadLetter | undefined): string {
  if (!letter) return `${UNREADABLE}   `;
  const { message_id: id, client_id: client, domain } = namesIn(letter.raw);
  return [letter.reason, id !== undefined && isUsableId(id) ? id : '', client ?? '', domain ?? '']
    .map(indexWord)
    .join(' ');
}

/** As a word stands in the index. */
export function indexWord(text: string): string {
  return encodedWord(text, WORD_LENGTH);
}

/** So many characters of it at most; half surrogate pairs, which cannot be encoded, are replaced. */
export function encodedWord(text: string, most: number): string {
  const short = text.length > most ? [...text.slice(0, 2 * most)].slice(0, most).join('') : text;
  return encodeURIComponent(short.replace(/\p{Cs}/gu, '\ufffd'));
}

export function readIndexLine(line: string): IndexedLetter {
  const [unique = '', reason = '', id = '', client = '', domain = ''] = line.split(' ');
  return {
    unique,
    reason: decodedWord(reason) ?? '',
    messageId: decodedWord(id),
    client: decodedWord(client),
    domain: decodedWord(domain),
  };
}

function namesIn(raw: Buffer): Readonly<Record<string, string | undefined>> {
  return scannedTexts(raw.subarray(0, SCANNED_BYTES), ['message_id', 'client_id', 'domain']);
}

/** The reverse; undefined = empty. */
export function decodedWord(word: string): string | undefined {
  if (word === '') return undefined;
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
