import { expect, test } from 'vitest';

import type { StatusDocument } from '../../../supervisor/status/status-document.js';
import { crowded } from '../../support/crowding.js';
import { useMainServer } from '../../support/main-server/main-server.js';
import { useProgram } from '../../support/program/program.js';
import { useRedis } from '../../support/redis/redis.js';
import { startOperated } from '../fixtures/operated.js';

const redis = useRedis();
const main = useMainServer();
useProgram();
/** The promise is 1 s; half as much again for the way here on a busy machine. */
const LONGEST_SCRAPE_MS = 1_500;

test('no scrape waits more than a second for a worker that hangs', async () => {
  const env = { WORKER_COUNT: '2' };
  const operated = await startOperated({ redisPort: redis.port, mainServerUrl: main.server.url, env });
  await operated.untilReady();
  const { workers } = (await operated.ask('/status')).body as unknown as StatusDocument;
  process.kill(workers[0]?.pid ?? 0, 'SIGSTOP');
  const startedAt = performance.now();
  const { text } = await operated.ask('/metrics/workers');
  expect(performance.now() - startedAt).toBeLessThan(crowded(LONGEST_SCRAPE_MS));
  expect(text).toMatch(/^supervisor_scrape_missing_workers 1$/m);
});
