/** The controls, the plots of the past and their marks, against the built program. */
import { describe, expect, test } from 'vitest';
import { redisKeys } from '../../src/queue/keys.js';
import { startMainServer } from '../../scripts/main-server/server.js';
import { pemsOf } from '../support/main-server/main-server.js';
import { neededProgram } from '../support/program/needed-program.js';
import { QUEUE } from '../support/redis/queue.js';
import { CHROMIUM, type WatchedPage } from './support/browser.js';
import { TOKEN, useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);
const keys = redisKeys(QUEUE);
const HOUR_MS = 3_600_000;

describe.skipIf(chromium === undefined)('controls and the past on the dashboard', () => {
  const { installation, open, text, untilText, push } = useDashboard(chromium);

  /** Each asks; the first of all wants the token. */
  async function doIt(page: WatchedPage['page'], button: string, { token = false } = {}): Promise<void> {
    await page.getByRole('button', { name: button }).click();
    await page.getByTestId('confirm-yes').click();
    if (!token) return;
    await page.getByTestId('token').fill(TOKEN);
    await page.getByTestId('token').press('Enter');
  }

  test('pause, resume, scale, reload and the restart of a worker ask, are done, and are marks in the plots', async () => {
    const { fleet, page, wrong } = await open();
    await untilText('state', /^Flowing$/);
    expect(await page.getByRole('button', { name: 'Resume…' }).isDisabled()).toBe(true);

    await page.getByRole('button', { name: 'Pause…' }).click();
    await page.getByLabel('Why').fill('new main server');
    await page.getByTestId('confirm-yes').click();
    await page.getByTestId('token').fill(TOKEN);
    await page.getByTestId('token').press('Enter');
    await untilText('control-note', /^Paused; 2 workers have confirmed it, 0 messages are claimed\.$/);
    await untilText('reasons', /Deliveries are paused by .*until somebody ends it: new main server/);
    await doIt(page, 'Resume…');
    await untilText('control-note', /^Deliveries go on within a second\.$/);
    await fleet.until('the end of the pause', ({ queue }) => queue.paused === null);

    await page.getByRole('spinbutton', { name: 'Workers' }).fill('3');
    await doIt(page, 'Scale…');
    await untilText('control-note', /^Workers: 2 → 3\.$/);
    await fleet.until('three workers', ({ workers }) => {
      return workers.length === 3 && workers.every(({ state }) => state === 'ready');
    });

    const { pid } = (await fleet.status()).workers[1] ?? {};
    await page.getByRole('combobox', { name: 'Worker', exact: true }).selectOption('worker-2');
    await doIt(page, 'Restart…');
    await untilText('control-note', /^worker-2 has a new process \(pid \d+\)\.$/);
    const { pid: now } = (await fleet.status()).workers[1] ?? {};
    expect(now).not.toBe(pid);

    await doIt(page, 'Reload…');
    await untilText('control-note', /^Reloaded: all workers have the new configuration\./);
    expect((await fleet.status()).supervisor.reloads_succeeded).toBe(1);

    await untilText('happened-summary', /^What happened in 30 min: .*reload \(1\)/);
    await page.getByTestId('happened-summary').click();
    const happened = await text('happened');
    for (const told of [/Paused\s.*new main server/, /Resumed/, /Number of workers\s+2 → 3/, /restarted\s+worker-2/]) {
      expect(happened).toMatch(told);
    }
    await page.getByRole('button', { name: 'Who did what: read the audit' }).click();
    await untilText('audit', /reload\s[^]*restart\s[^]*scale\s[^]*resume\s[^]*pause\s/);
    expect(wrong).toEqual([]);
  });

  test('who closes the question has done nothing, and a refusal is told', async () => {
    const { fleet, page } = await open();
    await untilText('state', /^Flowing$/);
    await page.getByRole('button', { name: 'Reload…' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('spinbutton', { name: 'Workers' }).fill('99999');
    await doIt(page, 'Scale…', { token: true });
    await untilText('control-note', /workers.* must be .* from 1 to \d+/);
    expect((await fleet.status()).supervisor).toMatchObject({ workers_wanted: 2, last_reload: null });
  });

  test('without a token the controls are shut before anybody tries', async () => {
    const { page, wrong } = await open({ SUPERVISOR_ADMIN_TOKEN: '' });
    await untilText('state', /^Flowing$/);
    await untilText('read-only', /SUPERVISOR_ADMIN_TOKEN is not set/);
    for (const name of ['Pause…', 'Resume…', 'Reload…', 'Scale…', 'Restart…', 'Who did what: read the audit']) {
      expect(await page.getByRole('button', { name }).isDisabled(), name).toBe(true);
    }
    // the past is for everybody who may see the page
    await untilText('happened-summary', /^What happened in 30 min: /);
    expect(wrong).toEqual([]);
  });

  test('the range is chosen with the keyboard, and what nobody saw is a gap and said to be', async () => {
    const now = Date.now();
    await installation.redis.client.hset(keys.history, 'begun', now - 5 * HOUR_MS, 'at', now - 2 * HOUR_MS);
    const { page, wrong } = await open();
    await untilText('state', /^Flowing$/);
    await push(...Array.from({ length: 30 }, (_, at) => ({ message_id: `m-${at}` })));
    await page.getByRole('radio', { name: '30 min' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('radio', { name: '6 h' }).isChecked()).toBe(true);
    await untilText('happened-summary', /^What happened in 6 h: not known \(2\)$/);
    expect(
      await page.getByRole('img', { name: /^Messages per second: now delivered .* in 6 h at most / }).count(),
    ).toBe(1);
    expect(await page.getByRole('img', { name: /^Memory/ }).count()).toBe(0);
    await page.keyboard.press('ArrowRight');
    await untilText('happened-summary', /^What happened in 24 h: not known \(2\)$/);
    await page.keyboard.press('ArrowRight');
    await untilText('happened-summary', /^What happened in 7 days: not known \(2\)$/);
    await untilText('plots-note', /^Of all hosts\./);
    await untilText('plots-time', /^Times are of (UTC|\S+ \(UTC([+-]\d\d:\d\d)?\))$/);
    expect(wrong).toEqual([]);
  });

  test('an outage of the main server is a mark once it has lasted', async () => {
    const server = await startMainServer({ tls: pemsOf(installation.certificates.files) });
    const { wrong } = await open({ MAIN_SERVER_URL: server.url });
    await untilText('state', /^Flowing$/);
    await server.close();
    await push(...Array.from({ length: 60 }, (_, at) => ({ message_id: `m-${at}` })));
    await untilText('state', /^Stopped$/);
    await untilText('happened-summary', /^What happened in 30 min: .*outage \(1\)/);
    expect(wrong).toEqual([]);
  });
});
