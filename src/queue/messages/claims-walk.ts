/** Steps over what all consumers have claimed: those that live, and those that are recovered, whose claims came late. */
import { redisScript } from '../connection/script.js';
import { readConsumers } from '../leases/leases-run.js';
import type { ClaimedMessage } from './found.js';
import { walkList } from './list-walk.js';
import type { WalkRequest, WalkStep, WalkTools } from './walk.js';

/** 500 lengths take Redis 0.2 ms. */
const LISTS_AT_ONCE = 500;

const lengthsScript = redisScript('messages/lengths');

/** Consumer by consumer, of each the claims of last first. What is settled meanwhile may hide another: claims are short-lived. */
export async function* walkClaims(tools: WalkTools, request: WalkRequest): AsyncGenerator<WalkStep<ClaimedMessage>> {
  const lists = await claimLists(tools);
  const total = lists.reduce((sum, { length }) => sum + length, 0);
  const start = readCursor(request.after);
  const left = lists.filter(({ consumer }) => consumer >= start.consumer);
  if (left.length === 0) yield { found: [], looked: 0, total, next: undefined };
  for (const [at, { consumer }] of left.entries()) {
    const following = left[at + 1]?.consumer;
    const after = consumer === start.consumer ? start.index : '0';
    for await (const { found, looked, next } of walkList(tools, tools.keys.processing(consumer), {
      ...request,
      after,
    })) {
      const isLast = next === undefined && following === undefined;
      yield {
        found: found.map((one) => ({ ...one, place: 'in_flight' as const, consumer })),
        looked,
        total,
        next: isLast ? undefined : `${next ?? '0'} ${next === undefined ? following : consumer}`,
      };
    }
  }
}

/** Those that hold something, in a lasting order. */
async function claimLists({ connection, keys }: WalkTools) {
  const names = (await readConsumers(connection, keys)).map(({ consumer }) => consumer).sort();
  const lists: { readonly consumer: string; readonly length: number }[] = [];
  for (let at = 0; at < names.length; at += LISTS_AT_ONCE) {
    const some = names.slice(at, at + LISTS_AT_ONCE);
    const lengths = await lengthsScript.run(
      connection,
      some.map((name) => keys.processing(name)),
      [],
    );
    lists.push(...some.map((consumer, number) => ({ consumer, length: (lengths as number[])[number] ?? 0 })));
  }
  return lists.filter(({ length }) => length > 0);
}

function readCursor(text = ''): { readonly index: string; readonly consumer: string } {
  const [, index = '0', consumer = ''] = /^(\d{1,15}) (.+)$/.exec(text) ?? [];
  return { index, consumer };
}
