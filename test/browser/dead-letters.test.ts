/** Dead letters on the dashboard: read, replayed, and never more than text. */
import { describe, expect, test } from 'vitest';
import { neededProgram } from '../support/program/needed-program.js';
import { waitFor } from '../support/wait-for.js';
import { CHROMIUM } from './browser.js';
import { DEAD, envelope, TOKEN, useDashboard } from './opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);

describe.skipIf(chromium === undefined)('dead letters on the dashboard', () => {
  const { installation, open, text, untilText, push } = useDashboard(chromium);

  test('a dead letter is read and replayed with the token, not with a wrong one', async () => {
    const { fleet, page, wrong } = await open({ WORKER_MAX_ATTEMPTS: 1, WORKER_RETRY_INTERVAL: 1 });
    installation.server.faults.post.status = 500;
    await push({ message_id: 'order-7', payload: 'a secret of the customer' });
    await fleet.until('it to be dead', ({ queue }) => queue.dead === 1);
    installation.server.faults.post.status = undefined;
    await untilText('dead', /order-7\s+max_attempts_exceeded/);
    expect(await page.content()).not.toContain('a secret of the customer');

    await page.getByRole('button', { name: 'Details of order-7' }).click();
    await page.getByTestId('token').fill('wrong');
    await page.getByTestId('token').press('Enter');
    await untilText('unlock-wrong', /does not take this token/);
    await page.getByTestId('token').fill(TOKEN);
    await page.getByTestId('unlock-go').click();
    await untilText('letter-message', /a secret of the customer/);
    await untilText('letter-failures', /http_500 \(500\) on worker-[12]: /);
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Replay order-7' }).click();
    await untilText('dead-note', /^1 back in the queue\.$/);
    await fleet.until('its delivery', ({ workers }) => workers.some(({ delivered }) => delivered === 1));
    await page.getByTestId('dead-empty').waitFor();
    // Chromium reports the 401 of the wrong token by itself
    expect(wrong.filter((text) => !text.includes('401'))).toEqual([]);
  });

  test('Replay all asks first, and takes those of the reason chosen', async () => {
    await installation.redis.client.lpush(DEAD, ...['poison', 'malformed'].map((reason) => envelope({ reason })));
    const { fleet, page, wrong } = await open();
    await untilText('dead', /poison/);
    await page.getByTestId('dead-reason').selectOption('poison');
    await waitFor(async () => !(await text('dead')).includes('malformed'), { what: 'the filter to act' });
    await page.getByTestId('replay-all').click();
    await page.getByTestId('confirm-yes').click();
    await page.getByTestId('token').fill(TOKEN);
    await page.getByTestId('token').press('Enter');
    await untilText('dead-note', /^1 back in the queue\.$/);
    await fleet.until('one to be left', ({ queue }) => queue.dead === 1);
    expect(wrong).toEqual([]);
  });

  test('what comes from messages stays text', async () => {
    const markup = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const hostile = `${markup}\u001b[31mred\u202egnp`;
    const shown = `${markup}\\x1b[31mred\\u202egnp`;
    await installation.redis.client.lpush(DEAD, envelope({ reason: '<b>bold</b>', error: hostile, id: hostile }));
    const { page, wrong } = await open({ WORKER_RETRY_INTERVAL: 60 });
    installation.server.faults.post.status = 500;
    await push({ message_id: `${markup}\u202egnp` });
    await untilText('errors', /http_500/);
    expect(await text('errors')).toContain(`${markup}\\u202egnp`);
    expect(await text('dead')).toContain(shown);
    await page.getByRole('button', { name: /^Details of/ }).click();
    await page.getByTestId('token').fill(TOKEN);
    await page.getByTestId('token').press('Enter');
    await untilText('letter', /bold/);
    expect(await text('letter')).toContain(shown);
    expect(await page.locator('main img, main script, dialog img, dialog script, b:text("bold")').count()).toBe(0);
    expect(wrong).toEqual([]);
  });
});
