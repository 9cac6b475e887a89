/** The dashboard in a real browser, against the built program with a real Redis and a main server with mutual TLS. */
import { describe, expect, test } from 'vitest';
import { startMainServer } from '../../scripts/main-server/server.js';
import type { StatusDocument } from '../../supervisor/status/status-document.js';
import { pemsOf } from '../support/main-server/main-server.js';
import { neededProgram } from '../support/program/needed-program.js';
import { QUEUE } from '../support/redis/queue.js';
import { HANGS_MS, waitFor } from '../support/wait-for.js';
import { CHROMIUM, type WatchedPage } from './support/browser.js';
import { useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);

describe.skipIf(chromium === undefined)('the dashboard', () => {
  const { installation, open, text, untilText, push } = useDashboard(chromium);

  test('its numbers are those of /status, and nothing in the console', async () => {
    const { fleet, page, wrong } = await open({ WORKER_RETRY_INTERVAL: 60 });
    installation.server.faults.post.failRate = 0.2;
    await push(
      ...Array.from({ length: 40 }, (_, at) => ({ message_id: `m-${at}`, queued_at: new Date().toISOString() })),
    );
    await installation.redis.client.lpush(QUEUE, 'not JSON');
    await fleet.until('all to be settled', ({ totals, queue }) => {
      return totals.processed === 40 && queue.waiting === 0 && queue.processing === 0 && queue.dead === 1;
    });
    await fleet.until('a look at the end of it', ({ traffic }) => {
      return traffic.delivered + traffic.failed === 40 && traffic.delivered_per_second === 0;
    });
    await expect.poll(() => shownNumbers(page), { timeout: HANGS_MS }).toEqual(numbersOf(await fleet.status()));
    await untilText('state', /^Flowing$/);
    await untilText('certificates', /worker\.crt\s+\d{4}-\d\d-\d\d [\d:]+ UTC\S*\s+in \d+/);
    expect(wrong).toEqual([]);
  });

  test('a main server that was stopped, then a Redis: state, cause and what to type', async () => {
    const server = await startMainServer({ tls: pemsOf(installation.certificates.files) });
    const { wrong } = await open({ MAIN_SERVER_URL: server.url });
    await untilText('state', /^Flowing$/);
    await server.close();
    await push(...Array.from({ length: 60 }, (_, at) => ({ message_id: `m-${at}` })));
    await untilText('reasons', /The main server cannot be reached \(connection_refused\): [^;]* paused claiming/);
    await untilText('state', /^Stopped$/);
    expect(await text('steps')).toContain('message-broker-worker check');
    await untilText('errors', /connection_refused/);
    await installation.redis.process.kill();
    try {
      await untilText('reasons', /Redis cannot be reached/);
      await untilText('tile-waiting', /^–$/);
    } finally {
      await installation.redis.process.restart(); // whatever happened: the next test empties it first
    }
    const isBack = async () => !/Redis cannot be reached/.test(await text('reasons'));
    await waitFor(isBack, { what: 'Redis to be back on the page' });
    // asked for while Redis was going
    expect(wrong.filter((text) => !text.includes('503'))).toEqual([]);
  });

  test('it says that it is disconnected, and connects to the next supervisor by itself', async () => {
    const { fleet } = await open();
    await untilText('state', /^Flowing$/);
    const { pid } = (await fleet.status()).supervisor;
    fleet.program.signal('SIGTERM');
    await untilText('state', /^Disconnected$/);
    expect(await text('connection')).toBe('Disconnected');
    expect(await text('steps')).toContain('message-broker-worker status');
    await fleet.program.waitForExit();
    fleet.startAgain();
    await untilText('state', /^Flowing$/);
    expect(await text('connection')).toBe('Live');
    expect(await text('instance')).not.toContain(`pid ${pid} `);
  });

  test('after many events the page is as large as before', async () => {
    const { page } = await open();
    await untilText('state', /^Flowing$/);
    await untilText('happened-summary', /^What happened in/);
    const elements = () => page.evaluate(() => document.querySelectorAll('*').length);
    const uptime = async () => (await text('instance')).match(/up (\d+) s/)?.[1];
    const [before, first] = [await elements(), Number(await uptime())];
    await waitFor(async () => Number(await uptime()) >= first + 4, { what: 'some events' });
    expect(await elements()).toBe(before);
  });
});

/** What the page shows, in the shape of numbersOf. */
async function shownNumbers(page: WatchedPage['page']) {
  const tile = async (name: string) => [name, await page.getByTestId(`tile-${name}`).getAttribute('data-value')];
  const names = [
    'delivered_per_second',
    'arrived_per_second',
    'waiting',
    'processing',
    'retrying',
    'dead',
    'delivery_p95',
    'oldest_wait',
    'success_share',
  ];
  const cellsOf = async (testid: string) => {
    const rows = await page.getByTestId(testid).locator('tbody tr').all();
    return Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
  };
  return {
    tiles: Object.fromEntries(await Promise.all(names.map(tile))) as Record<string, string>,
    workers: (await cellsOf('workers')).map((cells) => [0, 1, 7, 8, 9, 10, 11].map((at) => cells[at]?.trim())),
    errors: (await cellsOf('errors')).map((cells) => [0, 2, 4].map((at) => cells[at])),
  };
}

function numbersOf({ queue, traffic, workers, errors }: StatusDocument) {
  const tiles = {
    delivered_per_second: traffic.delivered_per_second,
    arrived_per_second: queue.arrivals.arrived_per_second,
    waiting: queue.waiting,
    processing: workers.reduce((sum, { processing }) => sum + processing, 0),
    retrying: queue.retrying,
    dead: queue.dead,
    delivery_p95: traffic.delivery_seconds?.p95 ?? null,
    oldest_wait: queue.oldest_wait_seconds,
    success_share: traffic.delivered / (traffic.delivered + traffic.failed),
  };
  return {
    tiles: Object.fromEntries(Object.entries(tiles).map(([name, value]) => [name, String(value)])),
    workers: workers.map(({ id, state, concurrency_limit: limit, limited_by: by, ...worker }) =>
      [id, state, `${limit} (${by})`, worker.delivered, worker.failed, worker.restarts, worker.pid].map(String),
    ),
    errors: errors.map(({ reason, count, last_error: error }) => [reason, String(count), error]),
  };
}
