/** What is longer than a line: sentences break between words, facts that stand side by side between two of them. Pure. */
import { line, widthOf, widthOfLine, type Line } from './line.js';

/** At most `most` lines, the last of which ends in `…` when that is not all. */
export function wrapped(text: string, width: number, most = Infinity): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `${lines[most - 1] ?? ''} …`];
}

/** Side by side, as many as fit a line. */
export function flowing(facts: readonly Line[], width: number, gap = '   '): Line[] {
  const lines: Line[] = [];
  for (const fact of facts) {
    const last = lines.at(-1);
    if (last !== undefined && widthOfLine(last) + gap.length + widthOfLine(fact) <= width) {
      lines[lines.length - 1] = [...last, ...line(gap), ...fact];
    } else lines.push(fact);
  }
  return lines;
}
