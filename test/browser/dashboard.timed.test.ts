import { describe, expect, test } from 'vitest';
import { crowded } from '../support/crowding.js';
import { neededProgram } from '../support/program/needed-program.js';
import { waitFor } from '../support/wait-for.js';
import { CHROMIUM, type WatchedPage } from './support/browser.js';
import { withWorkers } from './support/changed-events.js';
import { DEAD, envelope, useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);

describe.skipIf(chromium === undefined)('the dashboard', () => {
  const { installation, open, untilText } = useDashboard(chromium);

  test('a killed worker is seen within two seconds', async () => {
    const { fleet, page, wrong } = await open();
    const row = page.getByTestId('worker-row-worker-2');
    await untilText('state', /^Flowing$/);
    const { pid } = (await fleet.status()).workers[1] ?? {};
    const killedAt = performance.now();
    process.kill(pid ?? 0, 'SIGKILL');
    await waitFor(async () => (await row.locator('td').nth(9).innerText()) === '1', {
      what: 'the restart on the page',
    });
    const seconds = (performance.now() - killedAt) / 1_000;
    console.log(`the killed worker was on the page after ${seconds.toFixed(2)} s`);
    // promised are 2 s; a machine that is busy with other tests may be late
    expect(seconds).toBeLessThan(crowded(5));
    await waitFor(async () => (await row.getAttribute('data-state')) === 'ready', { what: 'the new one to be ready' });
    expect(wrong).toEqual([]);
  });

  test('it is painted within 200 ms with 64 workers and 100,000 dead letters', async () => {
    for (let batch = 0; batch < 100; batch += 1) {
      const letters = Array.from({ length: 1_000 }, (_, at) => envelope({ id: `m-${batch * 1_000 + at}` }));
      await installation.redis.client.lpush(DEAD, ...letters);
    }
    const { page, wrong } = await open({}, {}, withWorkers(64));
    await page.addInitScript(markFullPage, 64);
    const first: number[] = [];
    const full: number[] = [];
    for (let run = 0; run < 5; run += 1) {
      await page.reload();
      await untilText('open-dead', /^Dead 100,000$/);
      await waitFor(async () => (await marked(page, 'full')) > 0, { what: 'all workers to be on the page' });
      first.push(await marked(page, 'first-contentful-paint'));
      full.push(await marked(page, 'full'));
    }
    console.log(`first paint after ${listed(first)} ms, with all numbers and workers after ${listed(full)} ms`);
    // the best of five: what is promised is what the page needs, and other tests hold the processor for tens of ms
    expect(Math.min(...first)).toBeLessThan(crowded(200));
    expect(wrong).toEqual([]);
  });
});

/** Runs in the page before its own script: marks when the rows of all workers have been painted. */
function markFullPage(workers: number): void {
  new MutationObserver((_changes, observer) => {
    if (document.querySelectorAll('[data-testid^="worker-row-"]').length < workers) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => performance.mark('full')));
  }).observe(document, { childList: true, subtree: true });
}

/** Ms since the page was asked for; 0 = not yet. */
function marked(page: WatchedPage['page'], name: string): Promise<number> {
  return page.evaluate((wanted) => performance.getEntriesByName(wanted)[0]?.startTime ?? 0, name);
}

function listed(ms: readonly number[]): string {
  return ms.map((each) => String(Math.round(each))).join(', ');
}
