/**
 * The candidate that `word` was probably meant to be, or undefined when none is near: at most `within` letters away, by
 * default a quarter of the word.
 */
export function nearest(
  word: string,
  candidates: readonly string[],
  within = Math.max(2, Math.floor(word.length / 4)),
): string | undefined {
  const lastPart = word.slice(word.lastIndexOf('.') + 1);
  let best: string | undefined;
  let bestDistance = within + 1;
  for (const candidate of candidates) {
    // A right key in the wrong section (`concurrency`, `redis.concurrency`) is as near as one wrong letter.
    const misplaced = candidate.endsWith(`.${lastPart}`);
    const distance = misplaced ? 1 : editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein: single-letter insertions, deletions and replacements that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
