/** Dead letters on the dashboard: read, replayed, and never more than text. */
import { describe, expect, test } from 'vitest';
import { neededProgram } from '../support/program/needed-program.js';
import { waitFor } from '../support/wait-for.js';
import { CHROMIUM } from './support/browser.js';
import { DEAD, envelope, useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);

describe.skipIf(chromium === undefined)('dead letters on the dashboard', () => {
  const { installation, open, openPlace, unlock, text, untilText, push } = useDashboard(chromium);

  test('a dead letter is read and replayed with the token, not with a wrong one', async () => {
    const { fleet, page, wrong } = await open({ WORKER_MAX_ATTEMPTS: 1, WORKER_RETRY_INTERVAL: 1 });
    installation.server.faults.post.status = 500;
    await push({ message_id: 'order-7', payload: 'a secret of the customer' });
    await fleet.until('it to be dead', ({ queue }) => queue.dead === 1);
    installation.server.faults.post.status = undefined;
    await openPlace('dead');
    await untilText('messages', /order-7\s+max_attempts_exceeded/);
    expect(await page.content()).not.toContain('a secret of the customer');

    await page.getByRole('button', { name: 'Details of order-7' }).click();
    await page.getByTestId('token').fill('wrong');
    await page.getByTestId('token').press('Enter');
    await untilText('unlock-wrong', /does not take this token/);
    await unlock();
    await untilText('message-body', /a secret of the customer/);
    await untilText('message-failures', /http_500 \(500\) on worker-[12]: /);
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Replay order-7' }).click();
    await untilText('messages-note', /^1 back in the queue\.$/);
    await fleet.until('its delivery', ({ workers }) => workers.some(({ delivered }) => delivered === 1));
    await page.getByTestId('messages-empty').waitFor();
    // Chromium reports the 401 of the wrong token by itself
    expect(wrong.filter((text) => !text.includes('401'))).toEqual([]);
  });

  test('Replay of all asks first, and takes those of the reason chosen', async () => {
    await installation.redis.client.lpush(DEAD, ...['poison', 'malformed'].map((reason) => envelope({ reason })));
    const { fleet, page, wrong } = await open();
    await openPlace('dead');
    await untilText('messages', /poison/);
    await page.getByTestId('message-reason').selectOption('poison');
    await waitFor(async () => !(await text('messages')).includes('malformed'), { what: 'the filter to act' });
    await page.getByTestId('replay-many').click();
    await unlock();
    await untilText('confirm-text', /^1 dead letter of reason poison would go back to the queue/);
    await page.getByTestId('confirm-yes').click();
    await untilText('messages-note', /^1 back in the queue\.$/);
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
    await openPlace('dead');
    await untilText('messages', /bold/);
    expect(await text('messages')).toContain(shown);
    await page.getByRole('button', { name: /^Details of/ }).click();
    await unlock();
    await untilText('message', /red/);
    expect(await text('message')).toContain(shown);
    expect(await page.locator('main img, main script, dialog img, dialog script, b:text("bold")').count()).toBe(0);
    expect(wrong).toEqual([]);
  });
});
