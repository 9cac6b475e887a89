import { expect, test } from 'vitest';
import { FleetSeat } from '../../../../src/domain/flow/fleet-share.js';
import type { RedisConnection } from '../../../../src/queue/connection/connection.js';
import { redisKeys } from '../../../../src/queue/keys.js';
import { Lease } from '../../../../src/queue/leases/lease.js';
import { RedisUnavailableError } from '../../../../src/shared/errors.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

/** Answers renewals as lease.lua does, or not at all. */
class ScriptedConnection implements Pick<RedisConnection, 'isReady' | 'runId' | 'call'> {
  isUp = true;
  runId = 'one server';
  /** Consumers whose claims nobody has recovered. */
  living = 1;
  /** Consumers whose claims others have recovered. */
  readonly lost = new Set<string>();
  readonly renewed: string[] = [];
  #held: Promise<void> | undefined;

  isReady(): boolean {
    return this.isUp;
  }

  /** Replies wait for what this returns. */
  hold(): () => void {
    let release = (): void => undefined;
    this.#held = new Promise((resolve) => (release = resolve));
    return release;
  }

  async call(_command: string, ...args: unknown[]): Promise<unknown> {
    const consumer = String(args[3]);
    this.renewed.push(consumer);
    await this.#held;
    if (!this.isUp) throw new RedisUnavailableError('the connection was lost', true);
    return this.lost.has(consumer) ? 0 : this.living;
  }
}

function lease() {
  const clock = new VirtualClock();
  const [own, control] = [new ScriptedConnection(), new ScriptedConnection()];
  const names: string[] = [];
  const fleet = new FleetSeat();
  const made = new Lease({
    connections: { own, control } as unknown as { readonly own: RedisConnection; readonly control: RedisConnection },
    keys: redisKeys('message_queue'),
    workerId: 'worker-1',
    nonce: 'abc',
    clock,
    fleet,
    onLost: (consumer) => names.push(consumer),
  });
  return { clock, own, control, fleet, names, made };
}

test('a renewal goes over its own connection, and over the other while that is away', async () => {
  const { own, control, made } = lease();
  await made.renew();
  own.isUp = false;
  expect(await made.renew()).toBe('kept');
  expect([own.renewed, control.renewed]).toEqual([[made.consumer], [made.consumer]]);
});

test('a renewal goes to the server that holds our claims, not to one that the name led to before', async () => {
  const { own, control, made } = lease();
  control.runId = 'another one';
  await made.renew();
  control.isUp = false;
  await made.renew();
  expect([own.renewed, control.renewed]).toEqual([[made.consumer], [made.consumer]]);
});

test('an exchange renews it in passing once a second, and no claim is waited for before it is renewed', async () => {
  const { clock, made } = lease();
  expect(made.isDue(clock.now())).toBe(true);
  await made.renew();
  expect(made.isDue(clock.now())).toBe(false);
  await clock.advance(1_001);
  expect(made.isDue(clock.now())).toBe(true);
  made.noteRenewed(made.consumer, clock.now());
  expect(made.isDue(clock.now())).toBe(false);
});

test('the time counts from the sending: a late reply does not lengthen it', async () => {
  const { clock, own, made } = lease();
  const release = own.hold();
  const renewing = made.renew();
  await clock.advance(9_500);
  release();
  await renewing;
  expect(made.isDue(clock.now())).toBe(true);
});

test('who is told twice that a lease is lost takes one new name, and a late word of the old one changes nothing', async () => {
  const { clock, own, control, names, made } = lease();
  const former = made.consumer;
  own.lost.add(former);
  const release = own.hold();
  const renewing = made.renew();
  // an exchange heard of it first, and others claim under the new name already
  made.takeNewName(former);
  const { consumer } = made;
  own.isUp = false;
  await made.renew();
  own.isUp = true;
  release();
  expect(await renewing).toBe('lost');
  made.noteRenewed(former, clock.now() + 60_000);
  expect([made.consumer, names, control.renewed]).toEqual([consumer, [consumer], [consumer]]);
  expect(made.isDue(clock.now() + 1_001)).toBe(true);
});

test('each renewal says how many workers there are; a lease that is lost says nothing of it', async () => {
  const { own, fleet, made } = lease();
  expect(fleet.consumers).toBe(1);
  own.living = 3;
  await made.renew();
  expect(fleet.consumers).toBe(3);
  own.lost.add(made.consumer);
  await made.renew();
  expect(fleet.consumers).toBe(3);
});

test('a renewal that fails renews nothing', async () => {
  const { clock, own, control, made } = lease();
  own.isUp = control.isUp = false;
  await expect(made.renew()).rejects.toThrow(RedisUnavailableError);
  expect(made.isDue(clock.now())).toBe(true);
});
