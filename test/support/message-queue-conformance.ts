import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Claim, MessageQueue, Settlement } from '../../src/queue/message-queue.js';

/** An empty store, one worker's queue on it, and what others do to it. */
export interface StoreUnderTest {
  /** Ready. */
  readonly queue: MessageQueue;
  /** To the left end, the first one first, as producers do. */
  produce(...messages: readonly (string | Buffer)[]): Promise<void>;
  /** The messages in the queue that nobody holds, the next one to be claimed first. */
  waiting(): Promise<readonly string[]>;
  /** Another worker takes over what the consumer holds, as when its lease has run out. */
  takeOver(consumer: string): Promise<void>;
  close(): Promise<void>;
}

export interface MessageQueueKind {
  readonly name: string;
  /** A message stays in the store while it is delivered. */
  readonly reliable: boolean;
  open(): Promise<StoreUnderTest>;
}

/** What every implementation of MessageQueue must do: the work loop relies on no more than this. */
export function conformsToMessageQueue({ name, reliable, open }: MessageQueueKind): void {
  describe(`the message queue: ${name}`, () => {
    let store: StoreUnderTest;
    let queue: MessageQueue;
    beforeEach(async () => {
      store = await open();
      queue = store.queue;
    });
    afterEach(() => store.close());

    const claim = async (want: number, inFlight = 0) =>
      (await queue.exchange({ settlements: [], want, inFlight })).claims;
    const settle = (...settlements: Settlement[]) => queue.exchange({ settlements, want: 0, inFlight: 0 });
    const retry = (taken: Claim, messageId: string): Settlement => ({
      kind: 'retry',
      claim: taken,
      message: taken.raw,
      messageId,
      delayMs: 60_000,
    });

    describe('claims', () => {
      test('the oldest first, and never more than wanted', async () => {
        await store.produce('a', 'b', 'c');
        expect(await claim(0)).toEqual([]);
        expect(texts(await claim(2))).toEqual(['a', 'b']);
        expect(await store.waiting()).toEqual(['c']);
        expect(texts(await claim(2))).toEqual(['c']);
        expect(await claim(2)).toEqual([]);
      });

      test('name the consumer that holds them', async () => {
        await store.produce('a');
        expect((await claim(1)).map(({ consumer }) => consumer)).toEqual([queue.consumer]);
      });

      test('hold the bytes of the message, whatever they are', async () => {
        const raw = Buffer.from([0xff, 0x00, 0xfe, 0x0a, 0x22]);
        await store.produce(raw);
        const [taken] = await claim(1);
        expect(taken?.raw.equals(raw)).toBe(true);
      });

      test('that wait get the oldest, too, at once when there is one', async () => {
        await store.produce('a', 'b');
        const taken = await queue.claimBlocking();
        expect(taken?.raw.toString()).toBe('a');
        expect(taken?.consumer).toBe(queue.consumer);
        expect((await settle({ kind: 'ack', claim: taken! })).lost).toEqual([]);
        expect(await store.waiting()).toEqual(['b']);
      });

      test('that wait get what is produced meanwhile', async () => {
        const waiting = queue.claimBlocking();
        await store.produce('a', 'b');
        expect((await waiting)?.raw.toString()).toBe('a');
      });

      test('that wait are ended by unblock without a message, which does nothing when none waits', async () => {
        await queue.unblock();
        const waiting = queue.claimBlocking();
        await queue.unblock();
        expect(await waiting).toBeUndefined();
        await store.produce('a');
        expect(texts(await claim(1))).toEqual(['a']);
      });
    });

    describe('an exchange', () => {
      test('settles first and claims then, in one step', async () => {
        await store.produce('a', 'b', 'c');
        const [a, b] = await claim(2);
        const settlements: Settlement[] = [
          { kind: 'ack', claim: a! },
          { kind: 'hand-back', claim: b! },
        ];
        const exchange = await queue.exchange({ settlements, want: 5, inFlight: 0 });
        expect(texts(exchange.claims)).toEqual(['b', 'c']);
        expect(exchange).toMatchObject({ lost: [], refused: [], solo: false, suspects: false });
      });

      test('ends a claim in any of the four ways, after which it is nobody’s and only what was handed back waits', async () => {
        await store.produce('a', 'b', 'c', 'd');
        const [a, b, c, d] = await claim(4);
        const { lost, refused } = await settle(
          { kind: 'ack', claim: a! },
          retry(b!, 'b'),
          { kind: 'bury', claim: c!, envelope: '{"c":1}' },
          { kind: 'hand-back', claim: d! },
        );
        expect({ lost, refused }).toEqual({ lost: [], refused: [] });
        expect(await store.waiting()).toEqual(['d']);
        expect(await queue.reconcile([])).toEqual({ handedBack: 0, missing: [], lost: [] });
      });

      test('hands back to the right end: the last one handed back is claimed first', async () => {
        await store.produce('a', 'b', 'c', 'd');
        const [a, b, c] = await claim(3);
        // newest first, as whoever holds several hands them back
        await settle(...[c!, b!, a!].map((taken): Settlement => ({ kind: 'hand-back', claim: taken })));
        expect(await store.waiting()).toEqual(['a', 'b', 'c', 'd']);
      });
    });

    test('byte-identical messages stay as many as they are', async () => {
      await store.produce('x', 'x', 'x', 'x');
      const claims = await claim(3);
      expect(texts(claims)).toEqual(['x', 'x', 'x']);
      const { lost } = await settle({ kind: 'ack', claim: claims[0]! }, retry(claims[1]!, 'x'), {
        kind: 'hand-back',
        claim: claims[2]!,
      });
      expect(lost).toEqual([]);
      expect(await store.waiting()).toEqual(['x', 'x']);
      expect(texts(await claim(5))).toEqual(['x', 'x']);
    });

    test('a lease that is renewed is kept, with the same name', async () => {
      const { consumer } = queue;
      expect(await queue.renewLease()).toBe('kept');
      expect(queue.consumer).toBe(consumer);
    });

    if (!reliable)
      describe('without a safety copy', () => {
        test('nothing is held in the store, so nothing can be lost there or found', async () => {
          await store.produce('a');
          const [a] = await claim(1);
          expect(queue.reliable).toBe(false);
          expect(await queue.reconcile([a!])).toEqual({ handedBack: 0, missing: [], lost: [] });
          expect((await settle({ kind: 'hand-back', claim: a! })).lost).toEqual([]);
          expect(await store.waiting()).toEqual(['a']);
        });
      });

    if (reliable)
      describe('a claim that is not ours', () => {
        test('since it was settled before: to settle it again acts on nothing', async () => {
          await store.produce('a', 'b');
          const [a, b] = await claim(2);
          const again: Settlement = { kind: 'hand-back', claim: a! };
          await settle({ kind: 'ack', claim: a! });
          expect(await settle(again, { kind: 'ack', claim: b! })).toMatchObject({ lost: [again], refused: [] });
          expect(await store.waiting()).toEqual([]);
        });

        test('since others took it over: none of the four ways acts on it, and it waits for whoever claims it', async () => {
          await store.produce('a', 'b', 'c', 'd');
          const [a, b, c, d] = await claim(4);
          await store.takeOver(queue.consumer);
          const settlements: Settlement[] = [
            { kind: 'ack', claim: a! },
            retry(b!, 'b'),
            { kind: 'bury', claim: c!, envelope: '{}' },
            { kind: 'hand-back', claim: d! },
          ];
          expect(new Set((await settle(...settlements)).lost)).toEqual(new Set(settlements));
          expect(await store.waiting()).toEqual(['a', 'b', 'c', 'd']);
        });

        test('since the lease was lost: the queue has another name, and claims under it are settled as ever', async () => {
          await store.produce('a');
          const former = queue.consumer;
          await queue.renewLease();
          const [a] = await claim(1);
          await store.takeOver(former);
          expect(await queue.renewLease()).toBe('lost');
          expect(queue.consumer).not.toBe(former);
          const [again] = await claim(1);
          const late: Settlement = { kind: 'ack', claim: a! };
          expect((await settle(late, { kind: 'ack', claim: again! })).lost).toEqual([late]);
          expect(await queue.reconcile([])).toEqual({ handedBack: 0, missing: [], lost: [] });
        });
      });

    if (reliable)
      describe('reconcile', () => {
        test('hands back what nobody knows of, to where it was, and leaves what is held', async () => {
          await store.produce('a', 'b', 'c', 'd');
          const [, b] = await claim(3);
          expect(await queue.reconcile([b!])).toEqual({ handedBack: 2, missing: [], lost: [] });
          expect(await store.waiting()).toEqual(['a', 'c', 'd']);
          expect((await settle({ kind: 'ack', claim: b! })).lost).toEqual([]);
        });

        test('counts identical ones: what is held stays, only the others go back', async () => {
          await store.produce('x', 'x', 'x');
          const [held] = await claim(3);
          expect(await queue.reconcile([held!])).toEqual({ handedBack: 2, missing: [], lost: [] });
          expect((await settle({ kind: 'ack', claim: held! })).lost).toEqual([]);
          expect(await store.waiting()).toEqual(['x', 'x']);
        });

        test('names what was settled though its reply was lost; of identical ones the later', async () => {
          await store.produce('a', 'x', 'x');
          const [a, x1, x2] = await claim(3);
          await settle({ kind: 'ack', claim: a! }, { kind: 'ack', claim: x1! });
          expect(await queue.reconcile([a!, x1!, x2!])).toEqual({ handedBack: 0, missing: [a, x2], lost: [] });
          expect(await store.waiting()).toEqual([]);
        });

        test('tells what others took over from what was settled, before and after the queue has another name', async () => {
          await store.produce('a');
          await queue.renewLease();
          const [a] = await claim(1);
          await store.takeOver(queue.consumer);
          expect(await queue.reconcile([a!])).toEqual({ handedBack: 0, missing: [], lost: [a] });
          expect(await queue.renewLease()).toBe('lost');
          expect(await queue.reconcile([a!])).toEqual({ handedBack: 0, missing: [], lost: [a] });
        });
      });
  });
}

function texts(claims: readonly Claim[]): string[] {
  return claims.map(({ raw }) => raw.toString());
}
