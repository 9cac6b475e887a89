/**
 * Control characters (line ends and ANSI escapes among them), format characters (bidirectional overrides, zero-width
 * ones), lone surrogates, line and paragraph separators.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const EVERY_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');

/**
 * Text from outside as it may stand in a log line: on one line, showing what is in it, unable to forge a line, colour a
 * terminal or turn the direction of writing.
 *
 * @param max longest text, in UTF-16 units before escaping; a longer one is cut and ends in `…`.
 */
export function printable(text: string, max: number): string {
  const shown = text.length > max ? `${withoutHalfPair(text.slice(0, max))}…` : text;
  return UNPRINTABLE.test(shown) ? shown.replace(EVERY_UNPRINTABLE, escaped) : shown;
}

/** Lines for a terminal, whatever was put into them: line breaks and tabs stay, all else that does not print is shown. */
export function harmless(lines: string): string {
  return UNPRINTABLE.test(lines)
    ? lines.replace(EVERY_UNPRINTABLE, (one) => (/[\n\t]/.test(one) ? one : escaped(one)))
    : lines;
}

/** The same JSON, in which nothing of a text can move a cursor, colour a terminal or turn the direction of writing. */
export function harmlessJson(json: string): string {
  return json.replace(EVERY_UNPRINTABLE, (one) => (one === '\n' ? one : unitsOf(one, (code) => `\\u${hex(code, 4)}`)));
}

function withoutHalfPair(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, '');
}

/** `\x1b` and `\u202e`; a character outside the basic plane as its two halves. */
function escaped(character: string): string {
  return unitsOf(character, (code) => (code <= 0xff ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`));
}

function unitsOf(character: string, shown: (code: number) => string): string {
  return character
    .split('')
    .map((unit) => shown(unit.charCodeAt(0)))
    .join('');
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
