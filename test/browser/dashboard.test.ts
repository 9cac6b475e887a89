/** The dashboard in a real browser, against the built program with a real Redis and a main server with mutual TLS. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startMainServer } from '../../scripts/main-server/main.js';
import type { StatusDocument } from '../../supervisor/status/status-document.js';
import { useInstallation, type Settings } from '../support/fleet.js';
import { pemsOf } from '../support/main-server.js';
import { neededProgram } from '../support/needed-program.js';
import { QUEUE } from '../support/queue.js';
import { waitFor } from '../support/wait-for.js';
import { CHROMIUM, openPage, startBrowser, type WatchedPage } from './browser.js';

const TOKEN = 'a-token-for-tests-0123';
const DEAD = `{${QUEUE}}:dead`;
const chromium = await neededProgram(CHROMIUM);
vi.setConfig({ testTimeout: 40_000 });

describe.skipIf(chromium === undefined)('the dashboard', () => {
  const installation = useInstallation();
  let browser: Browser;
  let watched: WatchedPage | undefined;
  beforeAll(async () => {
    browser = await startBrowser(chromium ?? '');
  });
  afterEach(async () => {
    await watched?.close();
    watched = undefined;
  });
  afterAll(() => browser?.close());

  const settings: Settings = { WORKER_COUNT: 2, SUPERVISOR_ADMIN_TOKEN: TOKEN, LOG_LEVEL: 'WARNING' };

  async function open(more: Settings = {}, options: Parameters<typeof openPage>[2] = {}) {
    const fleet = await installation.start({ ...settings, ...more });
    await fleet.ready(2);
    const origin = `http://127.0.0.1:${fleet.port}`;
    watched = await openPage(browser, origin, options);
    return { fleet, ...watched };
  }

  async function untilText(testid: string, pattern: RegExp, deadlineMs = 15_000): Promise<void> {
    let last = '';
    const matches = async () => pattern.test((last = (await watched?.text(testid)) ?? ''));
    await waitFor(matches, { what: `${testid} to say ${pattern}`, deadlineMs }).catch((error: unknown) => {
      throw new Error(`${String(error)}; it says "${last}"`);
    });
  }

  const push = (...messages: readonly object[]) =>
    installation.redis.client.lpush(QUEUE, ...messages.map((message) => JSON.stringify(message)));

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
    await expect.poll(() => shownNumbers(page), { timeout: 10_000 }).toEqual(numbersOf(await fleet.status()));
    await untilText('state', /^Flowing$/);
    await untilText('certificates', /worker\.crt\s+\d{4}-\d\d-\d\d [\d:]+\s+in \d+/);
    expect(wrong).toEqual([]);
  });

  test('a killed worker is seen within two seconds', async () => {
    const { fleet, page, wrong } = await open();
    const row = page.getByTestId('worker-row-worker-2');
    await untilText('state', /^Flowing$/);
    const { pid } = (await fleet.status()).workers[1] ?? {};
    const killedAt = performance.now();
    process.kill(pid ?? 0, 'SIGKILL');
    await waitFor(async () => (await row.locator('td').nth(8).innerText()) === '1', {
      what: 'the restart on the page',
    });
    const seconds = (performance.now() - killedAt) / 1_000;
    console.log(`the killed worker was on the page after ${seconds.toFixed(2)} s`);
    // promised are 2 s; a machine that is busy with other tests may be late
    expect(seconds).toBeLessThan(5);
    await waitFor(async () => (await row.getAttribute('data-state')) === 'ready', { what: 'the new one to be ready' });
    expect(wrong).toEqual([]);
  });

  test('a main server that was stopped, then a Redis: state, cause and what to type', async () => {
    const server = await startMainServer({ tls: pemsOf(installation.certificates.files) });
    const { wrong } = await open({ MAIN_SERVER_URL: server.url });
    await untilText('state', /^Flowing$/);
    await server.close();
    await push(...Array.from({ length: 60 }, (_, at) => ({ message_id: `m-${at}` })));
    await untilText('reasons', /the circuit breaker is open in every worker: the main server cannot be reached/);
    expect(await watched?.text('state')).toBe('Stopped');
    expect(await watched?.text('steps')).toContain('message-broker-worker check');
    await untilText('errors', /connection_refused/);
    await installation.redis.process.kill();
    try {
      await untilText('reasons', /Redis cannot be reached/);
      await untilText('tile-waiting', /^–$/);
    } finally {
      await installation.redis.process.restart(); // whatever happened: the next test empties it first
    }
    const isBack = async () => !/Redis cannot be reached/.test((await watched?.text('reasons')) ?? '');
    await waitFor(isBack, { what: 'Redis to be back on the page', deadlineMs: 15_000 });
    // asked for while Redis was going
    expect(wrong.filter((text) => !text.includes('503'))).toEqual([]);
  });

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
    await waitFor(async () => !(await watched?.text('dead'))?.includes('malformed'), { what: 'the filter to act' });
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
    expect(await watched?.text('errors')).toContain(`${markup}\\u202egnp`);
    expect(await watched?.text('dead')).toContain(shown);
    await page.getByRole('button', { name: /^Details of/ }).click();
    await page.getByTestId('token').fill(TOKEN);
    await page.getByTestId('token').press('Enter');
    await untilText('letter', /bold/);
    expect(await watched?.text('letter')).toContain(shown);
    expect(await page.locator('main img, main script, dialog img, dialog script, b:text("bold")').count()).toBe(0);
    expect(wrong).toEqual([]);
  });

  test('it says that it is disconnected, and connects to the next supervisor by itself', async () => {
    const { fleet } = await open();
    await untilText('state', /^Flowing$/);
    const { pid } = (await fleet.status()).supervisor;
    fleet.program.signal('SIGTERM');
    await untilText('state', /^Disconnected$/);
    expect(await watched?.text('connection')).toBe('Disconnected');
    expect(await watched?.text('steps')).toContain('message-broker-worker status');
    await fleet.program.waitForExit();
    fleet.startAgain();
    await untilText('state', /^Flowing$/, 30_000);
    expect(await watched?.text('connection')).toBe('Live');
    expect(await watched?.text('instance')).not.toContain(`pid ${pid} `);
  });

  test('after many events the page is as large as before', async () => {
    const { page } = await open();
    await untilText('state', /^Flowing$/);
    const elements = () => page.evaluate(() => document.querySelectorAll('*').length);
    const uptime = async () => (await watched?.text('instance'))?.match(/up (\d+) s/)?.[1];
    const [before, first] = [await elements(), Number(await uptime())];
    await waitFor(async () => Number(await uptime()) >= first + 4, { what: 'some events', deadlineMs: 15_000 });
    expect(await elements()).toBe(before);
  });

  test('on a phone nothing is wider than the screen, and dark is dark', async () => {
    await installation.redis.client.lpush(DEAD, envelope({ id: 'a_long_id_'.repeat(20) }));
    const { page, wrong } = await open({}, { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    await untilText('state', /^Flowing$/);
    await untilText('dead', /a_long_id/);
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll('html, .panel')].filter((each) => each.scrollWidth > each.clientWidth).map(String),
    );
    expect(wide).toEqual([]);
    expect(await brightness(page)).toBeLessThan(60);
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await brightness(page)).toBeGreaterThan(200);
    expect(wrong).toEqual([]);
  });

  test('it can be read and used without mouse and screen', async () => {
    const { page } = await open();
    await untilText('state', /^Flowing$/);
    for (const landmark of ['banner', 'main', 'contentinfo'] as const)
      expect(await page.getByRole(landmark).count(), landmark).toBe(1);
    for (const name of ['Workers', 'Errors by reason', 'Dead letters', 'Over time', 'State'])
      expect(await page.getByRole('region', { name }).count(), name).toBe(1);
    expect(await page.getByRole('columnheader', { name: 'State' }).count()).toBe(1);
    expect(await page.getByRole('rowheader', { name: 'worker-1' }).count()).toBe(1);
    expect(await page.getByRole('img', { name: /^Messages per second: now delivered/ }).count()).toBe(1);
    expect(await page.getByTestId('state').evaluate((element) => element.closest('[aria-live]') !== null)).toBe(true);
    await page.keyboard.press('Tab');
    const focused = () =>
      page.evaluate(() => {
        const { outlineStyle } = getComputedStyle(document.activeElement ?? document.body);
        return `${document.activeElement?.textContent} ${outlineStyle}`;
      });
    expect(await focused()).toBe('Skip to the workers solid');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('5 min solid');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('button', { name: '5 min' }).getAttribute('aria-pressed')).toBe('true');
  });

  test.each(['light', 'dark'] as const)('all text has enough contrast, %s', async (colorScheme) => {
    await installation.redis.client.lpush(DEAD, envelope({}));
    const { page } = await open({}, { colorScheme });
    await untilText('dead', /malformed/);
    expect(await page.evaluate(poorContrasts)).toEqual([]);
  });
});

/** What the page shows, in the shape of numbersOf. */
async function shownNumbers(page: WatchedPage['page']) {
  const tile = async (name: string) => [name, await page.getByTestId(`tile-${name}`).getAttribute('data-value')];
  const names = ['delivered_per_second', 'waiting', 'processing', 'retrying', 'dead', 'delivery_p95', 'wait_p95'];
  const cellsOf = async (testid: string) => {
    const rows = await page.getByTestId(testid).locator('tbody tr').all();
    return Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
  };
  return {
    tiles: Object.fromEntries(await Promise.all(names.map(tile))) as Record<string, string>,
    workers: (await cellsOf('workers')).map((cells) => [0, 1, 7, 8, 9, 10].map((at) => cells[at]?.trim())),
    errors: (await cellsOf('errors')).map((cells) => [0, 2, 4].map((at) => cells[at])),
  };
}

function numbersOf({ queue, traffic, workers, errors }: StatusDocument) {
  const tiles = {
    delivered_per_second: traffic.delivered_per_second,
    waiting: queue.waiting,
    processing: queue.processing,
    retrying: queue.retrying,
    dead: queue.dead,
    delivery_p95: traffic.delivery_seconds?.p95 ?? null,
    wait_p95: traffic.queue_wait_seconds?.p95 ?? null,
  };
  return {
    tiles: Object.fromEntries(Object.entries(tiles).map(([name, value]) => [name, String(value)])),
    workers: workers.map(({ id, state, delivered, failed, restarts, pid }) =>
      [id, state, delivered, failed, restarts, pid].map(String),
    ),
    errors: errors.map(({ reason, count, last_error: error }) => [reason, String(count), error]),
  };
}

function envelope({ id = 'm-1', reason = 'malformed', error = 'why' }): string {
  const message = JSON.stringify({ message_id: id });
  return JSON.stringify({
    dead_at: new Date().toISOString(),
    reason,
    error,
    attempt_count: 1,
    worker_id: 'worker-1',
    message,
  });
}

/** Of the page's ground, 0 to 255. */
function brightness(page: WatchedPage['page']): Promise<number> {
  return page.evaluate(() => {
    const [red = 0, green = 0, blue = 0] = (getComputedStyle(document.body).backgroundColor.match(/\d+/g) ?? []).map(
      Number,
    );
    return (red + green + blue) / 3;
  });
}

/** Runs in the page: texts whose contrast to what is behind them is under 4.5 (WCAG 2.1, level AA). */
function poorContrasts(): string[] {
  const rgb = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: readonly number[]): number => {
    const [r = 0, g = 0, b = 0] = color.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element: Element | null): number[] => {
    if (!element) return [255, 255, 255];
    const color = rgb(getComputedStyle(element).backgroundColor);
    const opacity = color[3] ?? 1;
    if (opacity === 1) return color;
    const under = behind(element.parentElement);
    return under.map((part, at) => (color[at] ?? 0) * opacity + part * (1 - opacity));
  };
  const poor: string[] = [];
  for (const element of document.querySelectorAll<HTMLElement>('body *')) {
    const own = [...element.childNodes].some(({ nodeType, textContent }) => nodeType === 3 && textContent?.trim());
    if (!own || !element.checkVisibility() || element.matches('script, noscript, option, :disabled')) continue;
    const [text, ground] = [luminance(rgb(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    if (ratio < 4.5) poor.push(`${element.textContent?.trim()}: ${ratio.toFixed(2)}`);
  }
  return poor;
}
