import type { Buffer } from 'node:buffer';
import { readIndexLine } from '../../domain/dead-letters/index-line.js';
import type { SkippedWrites } from '../../domain/dead-letters/skipped.js';
import type { Claim, Exchange, Settlement } from '../message-queue.js';
import type { RedisArgument, RedisConnection } from '../connection/connection.js';
import type { RedisKeys } from '../keys.js';
import { lineOf } from '../dead-letters/burial-line.js';
import { MOST_BYTES, MOST_ENTRIES } from '../failures/bounds.js';
import { memberOf } from '../retries.js';
import { redisScript } from '../connection/script.js';

/** From this many crashes on a message is claimed alone, so that it cannot take innocent ones to the dead list. */
const SOLO_CRASHES = 3;

/** By whether the fleet has a rate, and whether something is kept or forgotten of failed attempts. */
const exchangeScripts = {
  unpaced: redisScript('exchange', 'unpaced', 'no-failures'),
  paced: redisScript('exchange', 'paced', 'no-failures'),
  unpacedWithFailures: redisScript('exchange', 'unpaced', 'letter-failures', 'failures'),
  pacedWithFailures: redisScript('exchange', 'paced', 'letter-failures', 'failures'),
};

interface ExchangeCall {
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly consumer: string;
  /** 0 = leave the lease alone; negative = take it only if Redis does not know the consumer. */
  readonly leaseMs: number;
  readonly want: number;
  /** Bytes after which no further message is claimed. */
  readonly claimBytes: number;
  readonly inFlight: number;
  readonly reliable: boolean;
  readonly settlements: readonly Settlement[];
  /** It looks in passing whether deliveries are paused. */
  readonly onPauseSeen?: (isPaused: boolean) => void;
  /** Messages per second that the fleet may claim; undefined = as many as it can. */
  readonly rate?: number | undefined;
  /** Failed attempts are kept. */
  readonly sideBooksMayGrow: boolean;
}

type ExchangeReply = [
  number,
  Buffer[],
  number[],
  unknown[],
  number,
  number,
  Buffer,
  number,
  number?,
  [number, number, Buffer, number?, Buffer?]?,
];

/** One run of exchange.lua. undefined = the lease is lost and nothing was done. */
export async function runExchange(call: ExchangeCall): Promise<Exchange | undefined> {
  const { keys, consumer } = call;
  const acks: Settlement[] = [];
  const others: Settlement[] = [];
  for (const settlement of call.settlements) (settlement.kind === 'ack' ? acks : others).push(settlement);
  const settlements = others.length === 0 ? acks : [...acks, ...others];
  const args: RedisArgument[] = [
    consumer,
    call.leaseMs,
    call.want,
    call.inFlight,
    call.reliable ? '1' : '0',
    SOLO_CRASHES,
    call.claimBytes,
    acks.length,
  ];
  for (const { claim } of acks) args.push(claim.raw);
  const touchesFailures = others.some(({ kind }) => kind !== 'hand-back');
  for (const settlement of others) {
    pushSettlement(args, settlement);
    if (touchesFailures) args.push(...failureOf(settlement));
  }
  const places = placesOf(keys, consumer);
  if (touchesFailures) {
    places.push(keys.failures, keys.failuresSwept);
    const lines = others.filter((settlement) => settlement.kind === 'retry' && settlement.failure !== undefined).length;
    args.push(lines, MOST_ENTRIES, call.sideBooksMayGrow ? MOST_BYTES : 0);
  }
  const reply = (await run(call, { places, args, touchesFailures })) as ExchangeReply;
  const [lease, claimed, lost, failed, solo, suspects, refusal, paused, tokenInMs = 0, skipped] = reply;
  if (lease === 0) return undefined;
  call.onPauseSeen?.(paused === 1);
  return {
    claims: claimed.map((raw): Claim => ({ raw, consumer })),
    lost: lost.map((number) => settlementAt(settlements, number)),
    refused: refusals(settlements, failed),
    solo: solo === 1,
    suspects: suspects === 1,
    claimRefusal: refusal.length > 0 ? String(refusal) : undefined,
    tokenInMs,
    ...(skipped ? { skipped: skippedWrites(skipped) } : {}),
  };
}

function placesOf(keys: RedisKeys, consumer: string): string[] {
  const { queue, consumers, retry, dead, crashes, deadIndex, deadLetters, untold, paused } = keys;
  return [queue, keys.processing(consumer), consumers, retry, dead, crashes, deadIndex, deadLetters, untold, paused];
}

interface ExchangeScriptCall {
  readonly places: string[];
  readonly args: RedisArgument[];
  readonly touchesFailures: boolean;
}

function run(
  { connection, keys, rate }: ExchangeCall,
  { places, args, touchesFailures }: ExchangeScriptCall,
): Promise<unknown> {
  const { unpaced, paced, unpacedWithFailures, pacedWithFailures } = exchangeScripts;
  if (rate === undefined) return (touchesFailures ? unpacedWithFailures : unpaced).run(connection, places, args);
  return (touchesFailures ? pacedWithFailures : paced).run(connection, [...places, keys.rate], [...args, rate]);
}

function skippedWrites([letters, tellings, reason, failures = 0, why]: NonNullable<ExchangeReply[9]>): SkippedWrites {
  return {
    letters,
    tellings,
    reason: String(reason),
    ...(failures > 0 ? { failures: { count: failures, reason: String(why) } } : {}),
  };
}

/** Settles claims in the list of `consumer`, claiming nothing. */
export async function settle(
  connection: RedisConnection,
  keys: RedisKeys,
  consumer: string,
  settlements: readonly Settlement[],
): Promise<Exchange | undefined> {
  return runExchange({
    connection,
    keys,
    consumer,
    settlements,
    leaseMs: 0,
    want: 0,
    claimBytes: 0,
    inFlight: 0,
    reliable: true,
    sideBooksMayGrow: true,
  });
}

function pushSettlement(args: RedisArgument[], settlement: Settlement): void {
  const { kind, claim } = settlement;
  switch (kind) {
    case 'ack':
      return; // stands before the others
    case 'ack-retried':
      args.push('ack', claim.raw, '', '');
      return;
    case 'hand-back':
      args.push(kind, claim.raw, '', '');
      return;
    case 'bury':
      args.push(burialKind(settlement), claim.raw, settlement.envelope, lineOf(settlement));
      return;
    case 'retry':
      args.push(kind, claim.raw, memberOf(settlement), Math.ceil(settlement.delayMs));
  }
}

/** The message's id and the line to keep, for parts/failures.lua. */
function failureOf(settlement: Settlement): readonly [id: string, line: string] {
  switch (settlement.kind) {
    case 'retry':
      return [settlement.messageId, settlement.failure ?? ''];
    case 'ack-retried':
      return [settlement.messageId, ''];
    case 'bury':
      return [readIndexLine(lineOf(settlement)).messageId ?? '', ''];
    case 'ack':
    case 'hand-back':
      return ['', ''];
  }
}

/** Of what has no id that can be read there is nobody to tell. */
function burialKind(burial: Extract<Settlement, { kind: 'bury' }>): string {
  return burial.isUntold && readIndexLine(lineOf(burial)).messageId !== undefined ? 'bury-untold' : 'bury';
}

function refusals(settlements: readonly Settlement[], failed: readonly unknown[]): Exchange['refused'] {
  const refused: { settlement: Settlement; reason: string }[] = [];
  for (let at = 0; at < failed.length; at += 2) {
    refused.push({ settlement: settlementAt(settlements, Number(failed[at])), reason: String(failed[at + 1]) });
  }
  return refused;
}

function settlementAt(settlements: readonly Settlement[], number: number): Settlement {
  const settlement = settlements[number - 1];
  if (!settlement) throw new RangeError(`exchange.lua named settlement ${number} of ${settlements.length}`);
  return settlement;
}
