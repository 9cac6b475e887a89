/** The dashboard of a supervisor without SUPERVISOR_ADMIN_TOKEN: it says so before anybody types anything. */
import { describe, expect, test } from 'vitest';
import { neededProgram } from '../support/program/needed-program.js';
import { CHROMIUM } from './support/browser.js';
import { DEAD, envelope, TOKEN, useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);

describe.skipIf(chromium === undefined)('the dashboard without a token', () => {
  const { installation, open, openPlace, untilText } = useDashboard(chromium);

  test('what needs the token is shut and said to be, until a reload brings one', async () => {
    await installation.redis.client.lpush(DEAD, envelope({ id: 'm-7' }));
    const { fleet, page, wrong } = await open({ SUPERVISOR_ADMIN_TOKEN: '' });
    await openPlace('dead');
    await untilText('messages', /m-7/);
    await untilText('read-only', /SUPERVISOR_ADMIN_TOKEN is not set/);
    expect(await page.locator('[data-gated]:enabled').count()).toBe(0);
    const replay = page.getByRole('button', { name: 'Replay m-7' });
    expect(await replay.getAttribute('aria-describedby')).toBe('read-only');

    fleet.configure({ WORKER_COUNT: 2, SUPERVISOR_ADMIN_TOKEN: TOKEN });
    fleet.program.signal('SIGHUP');
    await page.getByTestId('read-only').waitFor({ state: 'hidden' });
    expect(await replay.isEnabled()).toBe(true);
    expect(wrong).toEqual([]);
  });
});
