/**
 * What somebody who is called at night reads first, without scrolling: on the page at a desk and on a phone, and on a terminal
 * of 80×24. In each situation the cause, since when, and what to do.
 */
import type { Page } from 'playwright-core';
import { describe, onTestFinished, test } from 'vitest';
import { hasScreen, openScreen, type TestScreen } from '../process/fixtures/screen.js';
import { neededProgram } from '../support/program/needed-program.js';
import { QUEUE } from '../support/redis/queue.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';
import { CHROMIUM } from './support/browser.js';
import { useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);
const DESK = { width: 1_280, height: 800 };
const PHONE = { width: 390, height: 844 };
const TERMINAL = { columns: 80, rows: 24 };

/** Each has to be found on every one of the three screens. */
type Expected = readonly RegExp[];

describe.skipIf(chromium === undefined || !hasScreen)('the first screen', () => {
  const { installation, open } = useDashboard(chromium);

  /** Two workers, their page and a terminal with `status --watch`. */
  async function watched(settings: Readonly<Record<string, string | number>> = {}) {
    const { fleet, page, wrong } = await open({ WORKER_COUNT: 2, ...settings }, { viewport: DESK });
    const screen = await openScreen(TERMINAL, {
      SUPERVISOR_PORT: String(fleet.port),
      SUPERVISOR_RUNTIME_DIR: `${fleet.cwd}/run`,
    });
    await screen.command('status', '--watch');
    await screen.until(/^(?:FLOWING|DEGRADED)/);
    return { fleet, page, screen, wrong };
  }

  async function push(count: number, message: (at: number) => object): Promise<void> {
    const texts = Array.from({ length: count }, (_, at) => JSON.stringify(message(at)));
    await installation.redis.client.lpush(QUEUE, ...texts);
  }

  /** All of it on each of the three. */
  async function expectEverywhere({ page, screen }: { page: Page; screen: TestScreen }, all: Expected): Promise<void> {
    await expectSeen('the terminal', () => terminalText(screen), all);
    for (const [name, size] of [
      ['the desk', DESK],
      ['the phone', PHONE],
    ] as const) {
      await page.setViewportSize(size);
      await page.evaluate(() => window.scrollTo(0, 0));
      await expectSeen(name, () => visibleText(page), all);
    }
  }

  test('Redis is down', async () => {
    const proxy = await startTcpProxy(installation.redis.port);
    onTestFinished(() => proxy.close());
    const shown = await watched({ REDIS_PORT: proxy.port });
    await proxy.setMode('refuse');
    await expectEverywhere(shown, [
      /STOPPED/i,
      /Redis cannot be reached/,
      SINCE,
      /message-broker-worker check/,
      /unknown/,
    ]);
  });

  test('the main server answers 503', async () => {
    const shown = await watched();
    installation.server.faults.post.status = 503;
    await push(60, (at) => ({ message_id: `m${at}` }));
    await expectEverywhere(shown, [
      /STOPPED/i,
      /main server answers 503 and is given a rest/i,
      SINCE,
      /Next look in/i,
      /look at its log/,
    ]);
  });

  test("one client's messages fail", async () => {
    const shown = await watched({ WORKER_RETRY_INTERVAL: 5 });
    const { server } = installation;
    server.onPost = (id) => void (server.faults.post.status = id.startsWith('bad') ? 422 : undefined);
    await push(40, (at) => ({ message_id: `bad${at}`, client_id: 'shop-7' }));
    await push(200, (at) => ({ message_id: `good${at}`, client_id: `client-${at % 20}` }));
    await expectEverywhere(shown, [
      /DEGRADED/i,
      /Messages of client shop-7 fail: HTTP 422, \d+ of \d+ attempts/i,
      /everybody else's are delivered/,
      SINCE,
      /message-broker-worker failures --client shop-7/,
    ]);
  });

  test('a backlog shrinks', async () => {
    installation.server.faults.post.delayMs = 40;
    const shown = await watched();
    await push(12_000, (at) => ({ message_id: `m${at}` }));
    await expectEverywhere(shown, [/wait, caught up in about \d/, SINCE, /Nothing has to be done: it shrinks/]);
  });

  test('a host is gone', async () => {
    const shown = await watched();
    const other = await installation.start({ WORKER_COUNT: 2 });
    await other.ready(2);
    await shown.fleet.until('both to be known', ({ fleet }) => fleet?.alive === 2);
    other.program.signal('SIGKILL');
    await expectEverywhere(shown, [
      /DEGRADED/i,
      new RegExp(`host \\S+/${other.port} has not been heard of since`, 'i'),
      SINCE,
      /message-broker-worker fleet/,
    ]);
    await shown.screen.until(/hosts 1 alive, 1 vanished/);
  });

  test('what the Python worker had its operators ask by hand: how many wait, is it well, is it slow', async () => {
    installation.server.faults.post.delayMs = 300;
    const shown = await watched();
    await push(40, (at) => ({ message_id: `m${at}` }));
    await shown.fleet.until('deliveries', ({ traffic }) => traffic.delivery_seconds !== null);
    await expectEverywhere(shown, [
      /FLOWING/i,
      /\b\d+ waiting|Waiting \d/,
      /(?:95 % of attempts take up to|Delivery time, 95 %) [\d.]+ m?s/,
    ]);
  });
});

const SINCE = /since (?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d/i;

async function expectSeen(where: string, read: () => Promise<string>, all: Expected): Promise<void> {
  let last = '';
  const isThere = async (): Promise<boolean> => {
    last = await read();
    return all.every((one) => one.test(last));
  };
  await waitFor(isThere, { what: `${where} to say it` }).catch((error: unknown) => {
    const missing = all.filter((one) => !one.test(last)).map(String);
    throw new Error(`${String(error)}; it lacks ${missing.join(' and ')} and shows:\n${last}`);
  });
}

/** One line, since a sentence may be broken anywhere. */
async function terminalText(screen: TestScreen): Promise<string> {
  const lines = await screen.lines();
  return lines.map((line) => line.trim()).join(' ');
}

/** What is within the window now, as it stands there. */
function visibleText(page: Page): Promise<string> {
  return page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen: string[] = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (!parent || !parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      const isWithin =
        box.width > 1 && box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth;
      const text = (node.textContent ?? '').replace(/\s+/g, ' ').trim();
      if (isWithin && text !== '') seen.push(text);
    }
    return seen.join(' ');
  });
}
