/** Steps over a list of messages, the queue or the claims of a consumer, each a run of messages/list.lua. */
import type { Buffer } from 'node:buffer';
import { redisScript } from '../connection/script.js';
import type { Found, WaitingMessage } from './found.js';
import {
  FIRST_AT_ONCE,
  meant,
  PAUSE_MS,
  STEP_ENTRIES,
  wantedArguments,
  type WalkRequest,
  type WalkStep,
  type WalkTools,
} from './walk.js';

const listScript = redisScript('messages/list', 'wanted', 'stepwise');

interface Listed extends Found {
  readonly index: number;
}

/** From the newest to the oldest. What is pushed meanwhile moves the others: some are met twice, none is missed. */
export async function* walkWaiting(tools: WalkTools, request: WalkRequest): AsyncGenerator<WalkStep<WaitingMessage>> {
  for await (const { found, ...step } of walkList(tools, tools.keys.queue, request)) {
    const numbered = found.map((one) => ({ ...one, place: 'waiting' as const, number: step.total - one.index }));
    yield { ...step, found: numbered };
  }
}

export async function* walkList(
  tools: WalkTools,
  list: string,
  request: WalkRequest,
): AsyncGenerator<WalkStep<Listed>> {
  const { connection, clock } = tools;
  const { filter, after, mostMatches = STEP_ENTRIES, mostBytes = Number.MAX_SAFE_INTEGER } = request;
  let atOnce = FIRST_AT_ONCE;
  for (let index = startOf(after); ;) {
    const now = clock.wallNow();
    const args = [index, STEP_ENTRIES, mostMatches, mostBytes, atOnce, ...wantedArguments(filter, now)];
    const reply = await listScript.run(connection, [list], args);
    const [total, looked, nextAtOnce, matches] = reply as [number, number, number, unknown[]];
    index += looked;
    atOnce = nextAtOnce;
    const isLast = index >= total;
    yield {
      found: await meant(tools, request, listed(matches), now),
      looked,
      total,
      next: isLast ? undefined : String(index),
    };
    if (isLast) return;
    await clock.sleep(PAUSE_MS);
  }
}

function listed(matches: readonly unknown[]) {
  const found = [];
  for (let at = 0; at < matches.length; at += 3) {
    const [index, bytes, raw] = matches.slice(at, at + 3) as [number, number, Buffer];
    found.push({ index, bytes, raw });
  }
  return found;
}

/** One that is not ours begins at the newest. */
function startOf(cursor = ''): number {
  return /^\d{1,15}$/.test(cursor) ? Number(cursor) : 0;
}
