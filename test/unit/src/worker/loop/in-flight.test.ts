import { afterEach, expect, test } from 'vitest';
import { Buffer } from 'node:buffer';
import { InFlight } from '../../../../../src/worker/loop/in-flight.js';
import { UNREGISTERED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message } from '../core.js';

afterEach(closeCores);

test('many that wait to be asked for again are no leak to Node, which warns of more than ten', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on('warning', note);
  const { workLoop, queue, server, clock } = createCore({ concurrency: 20, batchSize: 20 });
  const queued_at = new Date(clock.wallNow()).toISOString();
  server.answerPosts(UNREGISTERED);
  queue.push(...Array.from({ length: 20 }, (_, at) => message(`m${at}`, { queued_at })));
  workLoop.start();
  await clock.advance(60);
  expect(server.posts).toHaveLength(3 * 20);
  process.off('warning', note);
  expect(warnings).toEqual([]);
});

test('what is in flight is told from the oldest on, whatever has ended between', async () => {
  const ends = new Map<string, () => void>();
  const inFlight = new InFlight({
    attempts: {
      run: (claim) =>
        new Promise((resolve) => {
          ends.set(String(claim.raw), () => resolve({ settlement: { kind: 'ack', claim } }));
        }),
    },
    metrics: { setProcessing: () => undefined },
    onEnded: () => undefined,
  });
  const names = () => [...inFlight.claims].map(({ raw }) => String(raw));
  for (const name of ['a', 'b', 'c', 'd', 'e']) inFlight.deliver({ raw: Buffer.from(name), consumer: 'c' });
  for (const name of ['a', 'd']) ends.get(name)?.();
  await Promise.resolve();
  inFlight.deliver({ raw: Buffer.from('f'), consumer: 'c' });
  expect(names()).toEqual(['b', 'c', 'e', 'f']);
  for (const name of ['f', 'b', 'e', 'c']) ends.get(name)?.();
  await Promise.resolve();
  expect(inFlight.size).toBe(0);
});
