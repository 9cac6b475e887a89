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

function withoutHalfPair(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, '');
}

/** `\x1b` and `\u202e`; a character outside the basic plane as its two halves. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => {
      const code = unit.charCodeAt(0);
      return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    })
    .join('');
}
