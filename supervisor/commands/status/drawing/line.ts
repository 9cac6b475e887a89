/**
 * Lines for a terminal, pure: pieces of text that have a meaning, and become colours only where colour is wanted.
 *
 * Own code and no library: `ink` needs React, a layout engine and Node 22, `terminal-kit` a set of packages for pictures and
 * colours, `blessed` has had no release for ten years. A frame is some forty lines of text that are written over the last
 * ones; what that takes is below, in `wrap`, `columns` and `screen`.
 */
import { harmless } from '../../../../src/shared/words/escape.js';

export type Tone = 'good' | 'warning' | 'bad' | 'strong' | 'faint';

export interface Piece {
  readonly text: string;
  readonly tone?: Tone;
}

export type Line = readonly Piece[];

const COLOURS: Readonly<Record<Tone, string>> = { good: '1;32', warning: '1;33', bad: '1;31', strong: '1', faint: '2' };
/** Drawn two cells wide: ideographs, Hangul, full-width forms, emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const WITHOUT_WIDTH = /\p{M}/u;
const PLAIN = /^[\x20-\x7e]*$/;

export function line(...pieces: readonly (string | Piece)[]): Line {
  return pieces.map((piece) => (typeof piece === 'string' ? { text: piece } : piece));
}

export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  return [...text].reduce((sum, character) => sum + cellsOf(character), 0);
}

function cellsOf(character: string): number {
  if (WITHOUT_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** No wider than that; a text that is cut ends in `…`. */
export function cutText(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let taken = '';
  let left = width - 1;
  for (const character of text) {
    left -= cellsOf(character);
    if (left < 0) break;
    taken += character;
  }
  return width < 1 ? '' : `${taken}…`;
}

export function cut(whole: Line, width: number): Line {
  let left = width;
  const pieces: Piece[] = [];
  for (const piece of whole) {
    if (left <= 0) break;
    const text = cutText(piece.text, left);
    left -= widthOf(text);
    pieces.push({ ...piece, text });
  }
  return pieces;
}

export function widthOfLine(whole: Line): number {
  return whole.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** What is written to the terminal. Nothing that was put into a text can move the cursor or colour anything. */
export function painted(whole: Line, inColour: boolean): string {
  return whole
    .map(({ text, tone }) =>
      inColour && tone !== undefined ? `\x1b[${COLOURS[tone]}m${harmless(text)}\x1b[0m` : harmless(text),
    )
    .join('');
}
