/**
 * Finding places in JSON text that JSON.parse has already accepted, or that is about to be given to it.
 *
 * By hand, since what exists breaks on large input: of a 50 MB string full of escapes, a regular expression for string
 * literals overflows its stack, and jsonc-parser's scanner builds a decoded copy that takes 0.9 GB.
 *
 * All texts here are the bytes decoded as latin1, so an index is a byte offset. That is safe in UTF-8, where no byte
 * below 0x80 is ever part of another character.
 */

const BACKSLASH = 0x5c;

/** The index after the closing quote of the string that opens at `openingQuote`, or the text's end if it never closes. */
function endOfString(text: string, openingQuote: number): number {
  let quote = text.indexOf('"', openingQuote + 1);
  while (quote !== -1) {
    let before = quote;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((quote - before) % 2 === 0) return quote + 1;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}

export interface Member {
  /** Decoded: `"a\u0062"` is `ab`. Characters outside ASCII are not decoded. */
  readonly key: string;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * The members of the outermost object of valid JSON text, one after the other; nested ones are stepped over without
 * recursion. NaN and Infinity, which Python writes, are values like any other.
 */
export function* membersOf(text: string): Generator<Member, void, undefined> {
  let depth = 0;
  let key: string | undefined;
  let valueStart = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charAt(at)) {
      case '"': {
        const end = endOfString(text, at);
        // Every string inside a value comes after its key.
        if (key === undefined) key = decodedKey(text.slice(at, end));
        at = end - 1;
        break;
      }
      case ':':
        if (depth === 1) valueStart = at + 1;
        break;
      case '{':
      case '[':
        depth++;
        break;
      case ']':
        depth--;
        break;
      case '}':
        depth--;
        if (depth === 0 && key !== undefined) yield member(text, key, valueStart, at);
        break;
      case ',':
        if (depth === 1 && key !== undefined) {
          yield member(text, key, valueStart, at);
          key = undefined;
        }
        break;
      default:
    }
  }
}

function decodedKey(literal: string): string {
  return literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
}

/** A value without the white space around it. */
function member(text: string, key: string, from: number, to: number): Member {
  let valueStart = from;
  let valueEnd = to;
  while (isWhiteSpace(text.charCodeAt(valueStart))) valueStart++;
  while (isWhiteSpace(text.charCodeAt(valueEnd - 1))) valueEnd--;
  return { key, valueStart, valueEnd };
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
