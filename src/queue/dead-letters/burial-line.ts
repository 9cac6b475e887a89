import { randomBytes } from 'node:crypto';
import { readDeadLetter } from '../../domain/dead-letters/dead-letter.js';
import { indexLine } from '../../domain/dead-letters/index-line.js';
import type { Settlement } from '../message-queue.js';

type Burial = Extract<Settlement, { kind: 'bury' }>;

const incarnation = randomBytes(6).toString('hex');
let count = 0;
const lines = new WeakMap<Burial, string>();

/**
 * The line of a burial in the index. The same at each try: without a safety copy nothing else keeps a burial whose reply
 * was lost from being done twice.
 */
export function lineOf(burial: Burial): string {
  const known = lines.get(burial);
  if (known !== undefined) return known;
  const line = indexLine(newUnique(), readDeadLetter(burial.envelope));
  lines.set(burial, line);
  return line;
}

/** The first word of a line; nobody has used it before. */
export function newUnique(): string {
  count += 1;
  return `${incarnation}-${count.toString(36)}`;
}
