/** Row 56, the main server's part: its name leads elsewhere, and the old one still answers. */
import { waitFor } from '../../../support/wait-for.js';
import type { Findings, Row } from '../../support/row.js';
import type { Stage } from '../../support/stage.js';
import { failuresIn } from './failures.js';

const MAX_AGE_S = 5;

export const MOVED_ROWS: readonly Row[] = [
  {
    id: '56b',
    fault: `main server's name moves while the old one still answers, MAIN_SERVER_MAX_CONNECTION_AGE=${MAX_AGE_S}`,
    bound: 'the last connection to the old one ends ≤ the age, 0 failed attempts',
    limits: { recoveryMs: MAX_AGE_S * 1_000 },
    run: moved,
  },
];

async function moved(stage: Stage): Promise<Findings> {
  const front = await stage.proxy(stage.server.port);
  const fleet = await stage.start({
    WORKER_COUNT: 2,
    WORKER_CONCURRENCY: 4,
    MAIN_SERVER_URL: `https://localhost:${front.port}`,
    MAIN_SERVER_MAX_CONNECTION_AGE: MAX_AGE_S,
  });
  await fleet.ready(2);
  stage.server.faults.post.delayMs = 20;
  const load = stage.load(300);
  await waitFor(() => stage.server.ledger.posts > 300, { what: 'the load' });
  // connections that are open stay where they are when a name moves
  const old = front.clients;
  const movedAt = performance.now();
  await waitFor(() => old.every(({ destroyed }) => destroyed), {
    what: 'the last connection to the old one to end',
    deadlineMs: 20_000,
  });
  const recoveryMs = performance.now() - movedAt;
  await load.stop();
  stage.expect(failuresIn(fleet) === 0, `${failuresIn(fleet)} attempts failed`);
  return { recoveryMs, note: `${old.length} connections` };
}
