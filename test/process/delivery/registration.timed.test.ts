import { expect, test } from 'vitest';
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
    expect((posts.at(-1)?.endMs ?? Infinity) - (posts[0]?.startMs ?? 0)).toBeLessThan(1_250);
    expect(posts.length).toBeGreaterThan(1);
    expect(server.ledger.of(id, 'PUT')).toEqual([]);
  }
});
