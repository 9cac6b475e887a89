/** Steps over the retries, those due first before the others, each a run of messages/retries.lua. */
import type { Buffer } from 'node:buffer';
import { redisScript } from '../connection/script.js';
import type { RetryingMessage } from './found.js';
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

const retriesScript = redisScript('messages/retries', 'retry-head', 'wanted', 'stepwise');

type Reply = [number, number, number, number, [unique?: Buffer, score?: Buffer], Buffer, number, unknown[]];

/** Not beyond the last that is there when it begins: what fails again meanwhile is not meant. */
export async function* walkRetries(tools: WalkTools, request: WalkRequest): AsyncGenerator<WalkStep<RetryingMessage>> {
  const { connection, keys, clock } = tools;
  const { filter, mostMatches = STEP_ENTRIES, mostBytes = Number.MAX_SAFE_INTEGER } = request;
  const { dueWithinMs = Infinity } = filter;
  let { unique, score } = readCursor(request.after);
  let highest = '+inf';
  let atOnce = FIRST_AT_ONCE;
  for (;;) {
    const wallNow = clock.wallNow();
    const args = [unique, score, highest, STEP_ENTRIES, mostMatches, mostBytes, atOnce];
    const reply = await retriesScript.run(connection, [keys.retry], [...args, ...wantedArguments(filter, wallNow)]);
    const [total, looked, nextAtOnce, last, [lastUnique, lastScore], top, now, matches] = reply as Reply;
    if (highest === '+inf' && top.length > 0) highest = String(top);
    if (lastUnique && lastScore) [unique, score] = [String(lastUnique), String(lastScore)];
    atOnce = nextAtOnce;
    const due = retrying(matches, now).filter(({ dueInMs }) => dueInMs <= dueWithinMs);
    const isLast = last === 1 || Number(score) - now > dueWithinMs;
    const found = await meant(tools, request, due, wallNow);
    yield { found, looked, total, next: isLast ? undefined : `${score} ${unique}` };
    if (isLast) return;
    await clock.sleep(PAUSE_MS);
  }
}

function retrying(matches: readonly unknown[], now: number) {
  const found = [];
  for (let at = 0; at < matches.length; at += 4) {
    const [score, bytes, head, raw] = matches.slice(at, at + 4) as [Buffer, number, Buffer, Buffer];
    const [, , interval] = head.toString('latin1').split(' ');
    found.push({
      place: 'retry' as const,
      head,
      score: String(score),
      dueInMs: Number(score) - now,
      intervalMs: interval === undefined ? undefined : Number(interval),
      bytes,
      raw,
    });
  }
  return found;
}

/** One that is not ours begins at the front. */
function readCursor(text = ''): { readonly unique: string; readonly score: string } {
  const match = /^(-?[\d.e+]{1,30}) ([0-9A-Za-z]{1,40})$/.exec(text);
  const [, score = '', unique = ''] = match ?? [];
  return Number.isFinite(Number(score)) ? { score, unique } : { score: '', unique: '' };
}
