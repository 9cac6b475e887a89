import { describe, expect, test } from 'vitest';
import { crowded } from '../support/crowding.js';
import { neededProgram } from '../support/program/needed-program.js';
import { waitFor } from '../support/wait-for.js';
import { CHROMIUM } from './browser.js';
import { useDashboard } from './opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);

describe.skipIf(chromium === undefined)('the dashboard', () => {
  const { open, untilText } = useDashboard(chromium);

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
});
