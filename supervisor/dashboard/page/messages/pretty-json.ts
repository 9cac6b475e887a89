/** JSON with line breaks, and no other byte changed: numbers beyond 2^53, escapes and double keys stay as they were sent. Pure. */

/** Strings whole, brackets, commas and colons, and runs of everything else. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
/** Deeper, the rest would be blanks. */
const DEEPEST = 40;

/** Undefined = it is no JSON, and is shown as it is. */
export function prettyJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens = text.match(TOKENS) ?? [];
  const parts: string[] = [];
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    const before = tokens[at - 1] ?? '';
    const closes = token === '}' || token === ']';
    if (closes) depth -= 1;
    const isEmpty = closes && (before === '{' || before === '[');
    const breaks = closes ? !isEmpty : before === '{' || before === '[' || before === ',';
    parts.push(breaks ? `\n${'  '.repeat(Math.min(depth, DEEPEST))}` : '', token === ':' ? ': ' : token);
    if (token === '{' || token === '[') depth += 1;
  }
  return parts.join('');
}
