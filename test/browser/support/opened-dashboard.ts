import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { useInstallation, type Fleet, type Installation, type Settings } from '../../support/program/fleet.js';
import { QUEUE } from '../../support/redis/queue.js';
import { waitFor } from '../../support/wait-for.js';
import { changedEvents, type ChangedEvents, type ChangeEvent } from './changed-events.js';
import { openPage, startBrowser, type WatchedPage } from './browser.js';

export const TOKEN = 'a-token-for-tests-0123';
export const DEAD = `{${QUEUE}}:dead`;

interface OpenedDashboard {
  readonly installation: Installation;
  /**
   * Starts two workers, or WORKER_COUNT, and opens their page, closed after the test.
   * @param change what the page is shown in place of what the supervisor says.
   */
  open(
    settings?: Settings,
    options?: Parameters<typeof openPage>[2],
    change?: ChangeEvent,
  ): Promise<WatchedPage & { readonly fleet: Fleet }>;
  /** What stands in this part of the page. */
  text(testid: string): Promise<string>;
  untilText(testid: string, pattern: RegExp): Promise<void>;
  /** Opens the list of the messages that are there. */
  openPlace(place: 'waiting' | 'in-flight' | 'retry' | 'dead'): Promise<void>;
  /** Gives the token, where the page asks for it. */
  unlock(): Promise<void>;
  push(...messages: readonly object[]): Promise<unknown>;
}

const SETTINGS: Settings = { WORKER_COUNT: 2, SUPERVISOR_ADMIN_TOKEN: TOKEN, LOG_LEVEL: 'WARNING' };

/** The built program with a Redis and a main server, and its page in a browser. Call it once, in a `describe`. */
export function useDashboard(chromium: string | undefined): OpenedDashboard {
  const installation = useInstallation();
  let browser: Browser | undefined;
  let watched: WatchedPage | undefined;
  let changed: ChangedEvents | undefined;
  beforeAll(async () => {
    browser = await startBrowser(chromium ?? '');
  });
  afterEach(async () => {
    await watched?.close();
    await changed?.close();
    [watched, changed] = [undefined, undefined];
  });
  afterAll(() => browser?.close());

  const text = async (testid: string) => (await watched?.text(testid)) ?? '';
  return {
    installation,
    text,
    async open(settings = {}, options = {}, change) {
      if (!browser) throw new Error('useDashboard: the browser runs only inside tests and hooks');
      const all = { ...SETTINGS, ...settings };
      const fleet = await installation.start(all);
      await fleet.ready(Number(all['WORKER_COUNT']));
      const origin = `http://127.0.0.1:${fleet.port}`;
      changed = change && (await changedEvents(origin, change));
      watched = await openPage(browser, changed?.origin ?? origin, options);
      return { fleet, ...watched };
    },
    async untilText(testid, pattern) {
      let last = '';
      const matches = async () => pattern.test((last = await text(testid)));
      await waitFor(matches, { what: `${testid} to say ${pattern}` }).catch((error: unknown) => {
        throw new Error(`${String(error)}; it says "${last}"`);
      });
    },
    openPlace: async (place) => watched?.page.getByTestId(`open-${place}`).click(),
    async unlock() {
      await watched?.page.getByTestId('token').fill(TOKEN);
      await watched?.page.getByTestId('token').press('Enter');
    },
    push: (...messages) =>
      installation.redis.client.lpush(QUEUE, ...messages.map((message) => JSON.stringify(message))),
  };
}

export function envelope({ id = 'm-1', reason = 'malformed', error = 'why' }): string {
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
