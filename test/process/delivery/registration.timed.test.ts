import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { crowded } from '../../support/crowding.js';
import { messageText } from '../../support/ledger.js';
import { useInstallation } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';

expectNoLeftovers();
const installation = useInstallation();
const { ledger, start } = installation;

test('a message that is not registered yet is delivered within 1 s of its registration', async () => {
  const { server } = installation;
  server.faults.unknownForMs = 250;
  const fleet = await start({ WORKER_COUNT: 1 });
  await fleet.ready(1);
  const ids = await ledger.produce(4);
  await ledger.quiet(3_000);
  for (const id of ids) {
    const posts = server.ledger.of(id, 'POST');
    expect((posts.at(-1)?.endMs ?? Infinity) - (posts[0]?.startMs ?? 0)).toBeLessThan(crowded(1_250));
    expect(posts.length).toBeGreaterThan(1);
    expect(server.ledger.of(id, 'PUT')).toEqual([]);
  }
});

test('a message that is registered 3 s late is delivered then where the grace is longer, and not 30 s later', async () => {
  const { server } = installation;
  server.faults.unknownForMs = 3_000;
  const fleet = await start({ WORKER_COUNT: 1, WORKER_NOT_FOUND_GRACE: 5 });
  await fleet.ready(1);
  const ids = await ledger.produce(4);
  await ledger.quiet(10_000);
  for (const id of ids) {
    const posts = server.ledger.of(id, 'POST');
    expect((posts.at(-1)?.endMs ?? Infinity) - (posts[0]?.startMs ?? 0)).toBeLessThan(crowded(4_200));
    expect(server.ledger.of(id, 'PUT')).toEqual([]);
  }
});

const ANSWER_MS = 8;
const EVERY_MS = 100;

/** LPUSH, then the registration 20 to 90 ms later, as the proxy does it. Resolves to when it was registered. */
async function proxied(id: string): Promise<{ readonly enqueuedAt: number; readonly registeredAt: number }> {
  const { unknownIds } = installation.server.faults;
  unknownIds.add(id);
  const enqueuedAt = performance.now();
  await ledger.produceRaw(id, messageText(id));
  await sleep(20 + 70 * Math.random() - (performance.now() - enqueuedAt));
  unknownIds.delete(id);
  return { enqueuedAt, registeredAt: performance.now() };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? NaN;
}

test('on a quiet system it is asked for when it is registered: seldom in vain, and hardly later', async () => {
  const { server } = installation;
  const fleet = await start({ WORKER_COUNT: 1 });
  await fleet.ready(1);
  server.faults.post.delayMs = ANSWER_MS;
  const sent: Promise<{ id: string; enqueuedAt: number; registeredAt: number }>[] = [];
  for (let number = 0; number < 240; number += 1) {
    const id = `real-${number}`;
    sent.push(proxied(id).then((times) => ({ id, ...times })));
    await sleep(EVERY_MS);
  }
  const messages = await Promise.all(sent);
  await ledger.quiet(10_000);
  const late = messages.slice(60).map(({ id, enqueuedAt, registeredAt }) => {
    const posts = server.ledger.of(id, 'POST');
    const last = posts.at(-1);
    const [startMs, endMs] = [last?.startMs ?? NaN, last?.endMs ?? NaN];
    return { posts, tookMs: endMs - enqueuedAt, floorMs: registeredAt - enqueuedAt + endMs - startMs };
  });
  const wasted = late.reduce((sum, { posts }) => sum + posts.length - 1, 0) / late.length;
  const times = median(late.map(({ tookMs }) => tookMs)) / median(late.map(({ floorMs }) => floorMs));
  expect(wasted).toBeLessThan(0.5);
  expect(times).toBeLessThan(crowded(1.5));
  expect(messages.every(({ id }) => server.ledger.of(id, 'PUT').length === 0)).toBe(true);
  const scraped = await (await fetch(`http://127.0.0.1:${fleet.metricsPort}/metrics`)).text();
  expect(Number(/^worker_registration_lag_seconds\{.*\} (\S+)$/m.exec(scraped)?.[1])).toBeGreaterThan(0.04);
}, 90_000);
