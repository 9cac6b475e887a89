import type { Exchange, Ledger } from '../../../scripts/main-server/ledger.js';

/** What the main server was told about the messages of a row. */
interface Story {
  /** Ids whose row in the main server's database would not end as delivered although a POST was answered with 2xx. */
  readonly backwards: readonly string[];
  /** POSTs that began after, or were answered with 2xx beside, the first 2xx of their id. */
  readonly duplicates: number;
  /** Their ids. */
  readonly twice: readonly string[];
  /** Ids of which a PUT and a POST were under way at the same time, both answered. */
  readonly overlapping: readonly string[];
}

/** The main server applies each answered request when it ends, POST and PUT alike: the last one decides. */
export function storyOf(ledger: Ledger): Story {
  const backwards: string[] = [];
  const overlapping: string[] = [];
  const twice: string[] = [];
  let duplicates = 0;
  for (const [id, exchanges] of ledger.exchanges) {
    const more = duplicatesOf(exchanges);
    duplicates += more;
    if (more > 0) twice.push(id);
    if (finalState(exchanges) === 'backwards') backwards.push(id);
    if (overlaps(exchanges)) overlapping.push(id);
  }
  return { backwards, duplicates, overlapping, twice };
}

function duplicatesOf(exchanges: readonly Exchange[]): number {
  const posts = exchanges.filter(({ method }) => method === 'POST');
  const first = posts.filter(isSuccess).sort(byEnd)[0];
  if (!first) return 0;
  return posts.filter((post) => post !== first && (isSuccess(post) || post.startMs > endOf(first))).length;
}

function finalState(exchanges: readonly Exchange[]): 'delivered' | 'backwards' | 'open' {
  const applied = exchanges.filter(isSuccess).sort(byEnd);
  if (!applied.some(({ method }) => method === 'POST')) return 'open';
  return applied.at(-1)?.method === 'POST' ? 'delivered' : 'backwards';
}

function overlaps(exchanges: readonly Exchange[]): boolean {
  const answered = exchanges.filter(({ endMs }) => endMs !== undefined);
  const puts = answered.filter(({ method }) => method === 'PUT');
  const posts = answered.filter(({ method }) => method === 'POST');
  return puts.some((put) => posts.some((post) => put.startMs < endOf(post) && post.startMs < endOf(put)));
}

function isSuccess({ status }: Exchange): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

function endOf({ endMs }: Exchange): number {
  return endMs ?? Infinity;
}

function byEnd(one: Exchange, other: Exchange): number {
  return endOf(one) - endOf(other);
}
