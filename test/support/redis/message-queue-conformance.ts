import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Claim, Exchange, MessageQueue, Settlement } from '../../../src/queue/message-queue.js';

/** An empty store, one worker's queue on it, and what others do to it. */
export interface StoreUnderTest {
  /** Ready. */
  readonly queue: MessageQueue;
  /** To the left end, the first one first, as producers do. */
  produce(...messages: readonly (string | Buffer)[]): Promise<void>;
  /** The messages that nobody holds, the next one to be claimed first. */
  waiting(): Promise<readonly string[]>;
  /** Another worker takes over what the consumer holds, as when its lease has run out. */
  takeOver(consumer: string): Promise<void>;
  close(): Promise<void>;
}

interface MessageQueueKind {
  readonly name: string;
  /** A message stays in the store while it is delivered. */
  readonly reliable: boolean;
  /** A worker whose claims were taken over learns it from `renewLease` and goes on under another name. */
  readonly losesLeases: boolean;
  open(): Promise<StoreUnderTest>;
}

/** What every implementation of MessageQueue must do: the work loop relies on no more than this. */
export function conformsToMessageQueue({ name, reliable, losesLeases, open }: MessageQueueKind): void {
  describe(`the message queue: ${name}`, () => {
    const subject = new Subject();
    beforeEach(async () => subject.use(await open()));
    afterEach(() => subject.store.close());

    describe('claims', () => claimsConform(subject));
    describe('an exchange', () => exchangesConform(subject));
    if (reliable) {
      describe('a claim that is not ours any more', () => ownershipConforms(subject));
      describe('reconcile', () => reconciliationConforms(subject));
    } else {
      describe('without a safety copy', () => plainPopsConform(subject));
    }
    if (losesLeases) describe('a lost lease', () => lostLeasesConform(subject));
  });
}

class Subject {
  #store: StoreUnderTest | undefined;

  use(store: StoreUnderTest): void {
    this.#store = store;
  }

  get store(): StoreUnderTest {
    if (!this.#store) throw new Error('conformsToMessageQueue: the store is open only inside tests');
    return this.#store;
  }

  get queue(): MessageQueue {
    return this.store.queue;
  }

  async claim(want: number): Promise<readonly Claim[]> {
    return (await this.queue.exchange({ settlements: [], want, inFlight: 0 })).claims;
  }

  settle(...settlements: Settlement[]): Promise<Exchange> {
    return this.queue.exchange({ settlements, want: 0, inFlight: 0 });
  }
}

const ack = (claim: Claim): Settlement => ({ kind: 'ack', claim });
const handBack = (claim: Claim): Settlement => ({ kind: 'hand-back', claim });
const bury = (claim: Claim): Settlement => ({ kind: 'bury', claim, envelope: '{}' });
const retry = (claim: Claim): Settlement => {
  return { kind: 'retry', claim, message: claim.raw, messageId: 'm', delayMs: 60_000 };
};
const texts = (claims: readonly Claim[]): string[] => claims.map(({ raw }) => raw.toString());
const NOTHING_TO_DO = { handedBack: 0, missing: [], lost: [] };

function claimsConform(subject: Subject): void {
  test('the oldest first, and never more than wanted', async () => {
    await subject.store.produce('a', 'b', 'c');
    expect(await subject.claim(0)).toEqual([]);
    expect(texts(await subject.claim(2))).toEqual(['a', 'b']);
    expect(await subject.store.waiting()).toEqual(['c']);
    expect(texts(await subject.claim(2))).toEqual(['c']);
    expect(await subject.claim(2)).toEqual([]);
  });

  test('names the consumer that holds them', async () => {
    await subject.store.produce('a');
    expect((await subject.claim(1)).map(({ consumer }) => consumer)).toEqual([subject.queue.consumer]);
  });

  test('holds the bytes of the message, whatever they are', async () => {
    const raw = Buffer.from([0xff, 0x00, 0xfe, 0x0a, 0x22]);
    await subject.store.produce(raw);
    expect((await subject.claim(1))[0]?.raw.equals(raw)).toBe(true);
  });

  test('one that waits gets the oldest, at once when there is one', async () => {
    await subject.store.produce('a', 'b');
    const taken = await subject.queue.claimBlocking();
    expect(taken).toMatchObject({ raw: Buffer.from('a'), consumer: subject.queue.consumer });
    expect((await subject.settle(ack(taken!))).lost).toEqual([]);
    expect(await subject.store.waiting()).toEqual(['b']);
  });

  test('one that waits gets what is produced meanwhile', async () => {
    const waiting = subject.queue.claimBlocking();
    await subject.store.produce('a', 'b');
    expect((await waiting)?.raw.toString()).toBe('a');
  });

  test('one that waits is ended by unblock, which takes nothing and is harmless when none waits', async () => {
    await subject.queue.unblock();
    const waiting = subject.queue.claimBlocking();
    await subject.queue.unblock();
    expect(await waiting).toBeUndefined();
    await subject.store.produce('a');
    expect(texts(await subject.claim(1))).toEqual(['a']);
  });
}

function exchangesConform(subject: Subject): void {
  test('settles first and claims then, in one step', async () => {
    await subject.store.produce('a', 'b', 'c');
    const [a, b] = await subject.claim(2);
    const exchange = await subject.queue.exchange({ settlements: [ack(a!), handBack(b!)], want: 5, inFlight: 0 });
    expect(texts(exchange.claims)).toEqual(['b', 'c']);
    expect(exchange).toMatchObject({ lost: [], refused: [], solo: false, suspects: false });
  });

  test('ends a claim in any of the four ways: it is nobody’s then, and only what was handed back waits', async () => {
    await subject.store.produce('a', 'b', 'c', 'd');
    const [a, b, c, d] = await subject.claim(4);
    const exchange = await subject.settle(ack(a!), retry(b!), bury(c!), handBack(d!));
    expect(exchange).toMatchObject({ lost: [], refused: [] });
    expect(await subject.store.waiting()).toEqual(['d']);
    expect(await subject.queue.reconcile([])).toEqual(NOTHING_TO_DO);
  });

  test('hands back to the right end: the last one handed back is claimed first', async () => {
    await subject.store.produce('a', 'b', 'c', 'd');
    const [a, b, c] = await subject.claim(3);
    await subject.settle(handBack(c!), handBack(b!), handBack(a!));
    expect(await subject.store.waiting()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('keeps byte-identical messages as many as they are', async () => {
    await subject.store.produce('x', 'x', 'x', 'x');
    const [x1, x2, x3] = await subject.claim(3);
    expect((await subject.settle(ack(x1!), retry(x2!), handBack(x3!))).lost).toEqual([]);
    expect(await subject.store.waiting()).toEqual(['x', 'x']);
    expect(texts(await subject.claim(5))).toEqual(['x', 'x']);
  });

  test('leaves the name of the consumer as it is, and so does a renewal of its lease', async () => {
    const { consumer } = subject.queue;
    await subject.claim(1);
    expect(await subject.queue.renewLease()).toBe('kept');
    expect(subject.queue.consumer).toBe(consumer);
  });
}

function ownershipConforms(subject: Subject): void {
  test('since it was settled: to settle it again acts on nothing', async () => {
    await subject.store.produce('a', 'b');
    const [a, b] = await subject.claim(2);
    const again = handBack(a!);
    await subject.settle(ack(a!));
    expect(await subject.settle(again, ack(b!))).toMatchObject({ lost: [again], refused: [] });
    expect(await subject.store.waiting()).toEqual([]);
  });

  test('since others took it over: none of the four ways acts on it, and it waits for whoever claims it', async () => {
    await subject.store.produce('a', 'b', 'c', 'd');
    const [a, b, c, d] = await subject.claim(4);
    await subject.store.takeOver(subject.queue.consumer);
    const settlements = [ack(a!), retry(b!), bury(c!), handBack(d!)];
    expect(new Set((await subject.settle(...settlements)).lost)).toEqual(new Set(settlements));
    expect(await subject.store.waiting()).toEqual(['a', 'b', 'c', 'd']);
  });
}

function reconciliationConforms(subject: Subject): void {
  test('hands back what nobody knows of, to where it was, and leaves what is held', async () => {
    await subject.store.produce('a', 'b', 'c', 'd');
    const [, b] = await subject.claim(3);
    expect(await subject.queue.reconcile([b!])).toEqual({ ...NOTHING_TO_DO, handedBack: 2 });
    expect(await subject.store.waiting()).toEqual(['a', 'c', 'd']);
    expect((await subject.settle(ack(b!))).lost).toEqual([]);
  });

  test('counts identical ones: what is held stays, only the others go back', async () => {
    await subject.store.produce('x', 'x', 'x');
    const [held] = await subject.claim(3);
    expect(await subject.queue.reconcile([held!])).toEqual({ ...NOTHING_TO_DO, handedBack: 2 });
    expect((await subject.settle(ack(held!))).lost).toEqual([]);
    expect(await subject.store.waiting()).toEqual(['x', 'x']);
  });

  test('names what was settled though its reply was lost; of identical ones as many as were', async () => {
    await subject.store.produce('a', 'x', 'x');
    const [a, x1, x2] = await subject.claim(3);
    await subject.settle(ack(a!), ack(x1!));
    const { handedBack, missing, lost } = await subject.queue.reconcile([a!, x1!, x2!]);
    expect({ handedBack, missing: texts(missing), lost }).toEqual({ handedBack: 0, missing: ['a', 'x'], lost: [] });
    expect(await subject.store.waiting()).toEqual([]);
  });

  test('tells what others took over from what was settled', async () => {
    await subject.store.produce('a', 'b');
    const [a, b] = await subject.claim(2);
    await subject.queue.renewLease();
    await subject.store.takeOver(subject.queue.consumer);
    expect(await subject.queue.reconcile([a!, b!])).toEqual({ ...NOTHING_TO_DO, lost: [a, b] });
    expect(await subject.store.waiting()).toEqual(['a', 'b']);
  });
}

function lostLeasesConform(subject: Subject): void {
  test('gives the queue another name, under which claims are settled as ever, while older ones settle to nothing', async () => {
    const { queue, store } = subject;
    await store.produce('a');
    const former = queue.consumer;
    await queue.renewLease();
    const [a] = await subject.claim(1);
    await store.takeOver(former);
    expect(await queue.renewLease()).toBe('lost');
    expect(queue.consumer).not.toBe(former);
    expect(await queue.reconcile([a!])).toEqual({ ...NOTHING_TO_DO, lost: [a] });
    const [again] = await subject.claim(1);
    const late = ack(a!);
    expect((await subject.settle(late, ack(again!))).lost).toEqual([late]);
    expect(await queue.reconcile([])).toEqual(NOTHING_TO_DO);
  });
}

function plainPopsConform(subject: Subject): void {
  test('nothing is held in the store: nothing can be lost or found there, and all can be handed back', async () => {
    expect(subject.queue.reliable).toBe(false);
    await subject.store.produce('a');
    const [a] = await subject.claim(1);
    expect(await subject.queue.reconcile([a!])).toEqual(NOTHING_TO_DO);
    expect((await subject.settle(handBack(a!))).lost).toEqual([]);
    expect(await subject.store.waiting()).toEqual(['a']);
  });
}
