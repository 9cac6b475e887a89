import type { Buffer } from 'node:buffer';
import { membersOf } from './json-text.js';

/** A key and a value longer than this are not worth decoding: an id has at most 255 characters, escaped 6 bytes each. */
const MOST_BYTES = 4_096;

/**
 * The texts that stand under these keys in the outermost object, found without parsing it: it may be cut off, broken, or
 * what took a process down. Of duplicates the last counts, as for every parser.
 */
export function scannedTexts(raw: Buffer, keys: readonly string[]): Readonly<Record<string, string | undefined>> {
  const found: Record<string, string> = {};
  const text = raw.toString('latin1');
  if (!text.trimStart().startsWith('{')) return found;
  try {
    for (const { key, valueStart, valueEnd } of membersOf(text)) {
      if (!keys.includes(key)) continue;
      const value = textAt(raw.subarray(valueStart, valueEnd));
      if (value === undefined) delete found[key];
      else found[key] = value;
    }
  } catch {
    // not JSON from here on
  }
  return found;
}

function textAt(literal: Buffer): string | undefined {
  if (literal.length > MOST_BYTES) return undefined;
  try {
    const value: unknown = JSON.parse(literal.toString('utf8'));
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A cut takes no more of the last character than this: a surrogate pair is `\\ud83d\\ude00`. */
const LONGEST_ESCAPE = 12;

/** The values under these keys of an object whose end is missing. Of a text that is cut there is what there is. */
export function fieldsOfBeginning(beginning: Buffer, keys: readonly string[]): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const text = beginning.toString('latin1');
  let end = 0;
  try {
    for (const { key, valueStart, valueEnd } of membersOf(text)) {
      end = valueEnd;
      if (keys.includes(key)) found[key] = JSON.parse(beginning.toString('utf8', valueStart, valueEnd));
    }
  } catch {
    return found; // not JSON from here on
  }
  const cut = /^\s*[{,]\s*"(\w+)"\s*:\s*(?=")/.exec(text.slice(end, end + MOST_BYTES));
  if (cut?.[1] !== undefined && keys.includes(cut[1]))
    found[cut[1]] = textOfCut(beginning.subarray(end + cut[0].length));
  return found;
}

/** @param literal begins with a quote and has none at its end. */
function textOfCut(literal: Buffer): string | undefined {
  const text = literal.toString('utf8');
  for (let length = text.length; length > 0 && length >= text.length - LONGEST_ESCAPE; length -= 1) {
    try {
      return JSON.parse(`${text.slice(0, length)}"`) as string;
    } catch {
      // cut inside an escape
    }
  }
  return undefined;
}
