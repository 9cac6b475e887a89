import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DemoSupervisor } from '../../../scripts/quickstart/supervisor.js';
import { freePort } from '../../support/free-port.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { conformsToLife } from '../../support/life.js';

expectNoLeftovers();
const path = mkdtempSync(join(tmpdir(), 'demo-'));
afterAll(() => rmSync(path, { recursive: true }));

/** One that comes up and waits for a Redis that is not there. */
async function make(): Promise<DemoSupervisor> {
  const [port, metrics, redis] = [await freePort(), await freePort(), await freePort()];
  const folder = {
    path,
    logs: join(path, 'logs'),
    redis: path,
    certificates: path,
    configFile: join(path, 'demo.yaml'),
  };
  mkdirSync(folder.logs, { recursive: true });
  const settings = {
    redis: { port: redis },
    main_server: { url: 'http://127.0.0.1:1' },
    worker: { count: 1 },
    metrics: { port: metrics },
    logging: { directory: folder.logs },
    supervisor: { port, runtime_dir: path },
  };
  writeFileSync(folder.configFile, JSON.stringify(settings)); // JSON is YAML
  return new DemoSupervisor({ folder, env: { PATH: process.env['PATH'] ?? '' }, port });
}

conformsToLife({ name: "the quickstart's supervisor", make });

test('one that cannot start says why', async () => {
  const supervisor = await make();
  writeFileSync(join(path, 'demo.yaml'), 'worker: {count: many}');
  supervisor.start();
  const ready = supervisor.untilConsuming(1, new AbortController().signal);
  await expect(ready).rejects.toThrow(/The supervisor ended by itself \(exit code 78\)\. Its last lines:\n.*count/s);
  await supervisor.stop();
});
