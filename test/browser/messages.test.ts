/** Messages in hand, on the dashboard: found by id, listed where they are, filtered, retried, cancelled; failures that open to them. */
import { describe, expect, test } from 'vitest';
import { neededProgram } from '../support/program/needed-program.js';
import { waitFor } from '../support/wait-for.js';
import { CHROMIUM } from './support/browser.js';
import { DEAD, envelope, useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);
/** Its number has no exact place in a double, and its keys are not in order. */
const PAYLOAD = '{"message_id":"order-7","client_id":"client-a","z":12345678901234567890,"a":[1,{}]}';

describe.skipIf(chromium === undefined)('messages on the dashboard', () => {
  const { installation, open, openPlace, unlock, text, untilText, push } = useDashboard(chromium);

  test('one is found by its id, with what the main server answered, and no number in it is changed', async () => {
    installation.server.faults.post.status = 500;
    const { fleet, page, wrong } = await open({ WORKER_RETRY_INTERVAL: 600 });
    await installation.redis.client.lpush('message_queue', PAYLOAD);
    await fleet.until('it to wait for its retry', ({ queue }) => queue.retrying === 1);

    await page.getByTestId('find-id').fill('order-7');
    await page.getByTestId('find-id').press('Enter');
    await unlock();
    await untilText('message-where', /^It waits for its retry: due in \d+m \d+s \(\d{4}-\d\d-\d\d [\d:]+ UTC\S*\)\.$/);
    await untilText('message-failures', /http_500 \(500\) on worker-\d: /);
    expect(await text('message-body')).toContain('  "z": 12345678901234567890,\n  "a": [\n    1,\n    {}\n  ],\n');

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByTestId('message').getByRole('button', { name: 'Copy' }).click();
    await untilText('message', /Copied as it lies in Redis\./);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      PAYLOAD.replace(/}$/, ',"attempt_count":1}'),
    );
    // a page that came over plain HTTP from another host has no clipboard
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await page.getByTestId('message').getByRole('button', { name: 'Copy' }).click();
    await untilText('message', /Marked; the browser copies it with Ctrl\+C\./);
    expect(await page.evaluate(() => String(getSelection()))).toContain('"z": 12345678901234567890');
    await page.keyboard.press('Escape');

    await page.getByTestId('find-id').fill('never-seen');
    await page.getByTestId('find-go').click();
    await untilText(
      'message-why',
      /^It is not in Redis: delivered, removed, or never seen\. .*message show never-seen$/,
    );
    expect(await page.getByTestId('message-body').count()).toBe(0);
    expect(wrong).toEqual([]);
  });

  test('lists of the places load when they are opened, and are filtered, retried, cancelled, and brought back', async () => {
    installation.server.faults.post.status = 500;
    const { fleet, page, wrong } = await open({ WORKER_RETRY_INTERVAL: 600 });
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await push(...['a', 'b', 'c'].map((id) => ({ message_id: id, client_id: id === 'c' ? 'other' : 'one' })));
    await fleet.until('all to wait for a retry', ({ queue }) => queue.retrying === 3);
    await untilText('open-retry', /^Retry 3$/);
    expect(asked.filter((path) => path === '/messages')).toEqual([]);

    await openPlace('retry');
    await untilText('messages', /http_500 \(500\)/);
    await untilText('messages-looked', /^3 of 3 shown, the one due next first\.$/);
    await page.getByTestId('message-client').fill('one');
    await page.getByTestId('message-client').press('Enter');
    await untilText('messages-looked', /^2 of 3 shown/);
    await page.getByTestId('cancel-many').click();
    await unlock();
    await untilText('confirm-text', /^2 messages of client one would go to the dead letters undelivered/);
    await page.getByTestId('confirm').getByRole('button', { name: 'Cancel' }).last().click();
    expect((await fleet.status()).queue.retrying).toBe(3);

    await page.getByLabel('Select a', { exact: true }).check();
    await untilText('cancel-many', /^Cancel 1 selected$/);
    await page.getByTestId('cancel-many').click();
    await page.getByTestId('confirm-yes').click();
    await untilText('messages-note', /^1 message cancelled\.$/);
    await fleet.until('it to be dead', ({ queue }) => queue.dead === 1 && queue.retrying === 2);
    installation.server.faults.post.status = undefined;
    await page.getByTestId('messages-undo').click();
    // the main server may be told of the cancel at that moment
    await untilText('messages-note', /back in the queue/);
    await page.getByRole('button', { name: 'Retry now b', exact: true }).click();
    await untilText('messages-note', /^1 message made due\./);
    await fleet.until('the deliveries', ({ queue, totals }) => queue.retrying === 1 && totals.delivered >= 1);
    expect(wrong).toEqual([]);
  });

  test('what waits and what is in flight is listed with where it is', async () => {
    installation.server.faults.post.hang = true;
    const { fleet, page, wrong } = await open({ WORKER_CONCURRENCY: 1, MAIN_SERVER_TIMEOUT: 600 });
    await push(...['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ message_id: id })));
    await fleet.until('some in flight, some waiting', ({ queue }) => queue.processing === 2 && queue.waiting === 4);
    await openPlace('in-flight');
    await untilText('messages', /worker-[12] on /);
    expect(await page.getByRole('group', { name: 'Do to many' }).getByRole('button').count()).toBe(0);
    await openPlace('waiting');
    await untilText('messages', /the next to be claimed/);
    await untilText('messages-looked', /^4 of 4 shown/);
    await page.getByRole('button', { name: 'Cancel f', exact: true }).click();
    await page.getByTestId('confirm-yes').click();
    await unlock();
    await untilText('messages-note', /^1 message cancelled\.$/);
    await untilText('messages-looked', /^3 of \d shown/);
    expect(wrong).toEqual([]);
  });

  test('failures are put together as one likes, and open to their messages', async () => {
    installation.server.faults.post.status = 503;
    const { fleet, page, wrong } = await open({ WORKER_RETRY_INTERVAL: 600 });
    await push({ message_id: 'a', client_id: 'one' }, { message_id: 'b', client_id: 'two<b>' });
    await fleet.until('both to wait for a retry', ({ queue }) => queue.retrying === 2);
    const counted = async () => (JSON.parse(await fleet.get('/failures')) as { attempts: number }).attempts;
    await waitFor(async () => (await counted()) === 2, { what: 'both failures to be counted' });
    await page.getByTestId('failures-section').locator('summary').click();
    await untilText('failures', /http_503\s+2\s/);
    await page.getByRole('button', { name: 'Status', exact: true }).click();
    await untilText('failures', /503\s+2\s+http_503/);
    await page.getByRole('button', { name: 'Client', exact: true }).click();
    await untilText('failures', /two<b>\s+1\s/);
    await page.getByRole('button', { name: 'Messages that wait after two<b>' }).click();
    await untilText('messages-looked', /^1 of 2 shown/);
    await untilText('messages', /^.*b\s+due in/s);
    expect(await page.getByTestId('message-client').inputValue()).toBe('two<b>');
    await page.getByRole('button', { name: 'Example of one' }).click();
    await unlock();
    await untilText('message', /"client_id": "one"/);
    expect(wrong).toEqual([]);
  });

  test('a dead letter is deleted after a question only; while Redis is away nothing is said to be empty', async () => {
    await installation.redis.client.lpush(DEAD, envelope({ id: 'x' }), envelope({ id: 'y' }));
    const { fleet, page } = await open();
    await openPlace('dead');
    await untilText('messages', /malformed/);
    await page.getByRole('button', { name: 'Delete x' }).click();
    await untilText('confirm-text', /^1 dead letter would be deleted for good\.$/);
    await page.getByTestId('confirm-yes').click();
    await unlock();
    await untilText('messages-note', /^1 deleted\.$/);
    await fleet.until('one to be left', ({ queue }) => queue.dead === 1);
    await installation.redis.process.kill();
    try {
      await page.locator('#messages-refresh').click();
      await untilText('messages-empty', /^Not known: .*Redis/);
      await untilText('open-dead', /^Dead –$/);
    } finally {
      await installation.redis.process.restart();
    }
  });
});
