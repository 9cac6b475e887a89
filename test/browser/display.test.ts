/** The dashboard on small and dark screens, without a mouse and without a screen. */
import { describe, expect, test } from 'vitest';
import { startMainServer } from '../../scripts/main-server/server.js';
import { pemsOf } from '../support/main-server/main-server.js';
import { neededProgram } from '../support/program/needed-program.js';
import { CHROMIUM, type WatchedPage } from './support/browser.js';
import { withWorkers } from './support/changed-events.js';
import { DEAD, envelope, useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);

describe.skipIf(chromium === undefined)('the display of the dashboard', () => {
  const { installation, open, openPlace, push, untilText } = useDashboard(chromium);

  test('on a phone nothing is wider than the screen, and dark is dark', async () => {
    await installation.redis.client.lpush(DEAD, envelope({ id: 'a_long_id_'.repeat(20) }));
    const { page, wrong } = await open({}, { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    await untilText('state', /^Flowing$/);
    await openPlace('dead');
    await untilText('messages', /a_long_id/);
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll('html, .panel')].filter((each) => each.scrollWidth > each.clientWidth).map(String),
    );
    expect(wide).toEqual([]);
    expect(await brightness(page)).toBeLessThan(60);
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await brightness(page)).toBeGreaterThan(200);
    expect(wrong).toEqual([]);
  });

  test('in an outage with eight workers a phone has it on three screens, and the plots on demand', async () => {
    const server = await startMainServer({ tls: pemsOf(installation.certificates.files) });
    const phone = { width: 390, height: 844 };
    const { page } = await open({ MAIN_SERVER_URL: server.url }, { viewport: phone }, withWorkers(8));
    await untilText('state', /^Flowing$/);
    const plots = page.getByRole('img', { name: /^Messages per second/ });
    expect(await plots.isVisible()).toBe(true);
    await server.close();
    await push(...Array.from({ length: 60 }, (_, at) => ({ message_id: `m-${at}` })));
    await untilText('state', /^Stopped$/);
    await untilText('errors', /connection_refused/);
    const heightOf = () => page.evaluate(() => document.documentElement.scrollHeight);
    console.log(`the page of an outage is ${await heightOf()} px high at ${phone.width} px`);
    expect(await heightOf()).toBeLessThanOrEqual(3 * phone.height);
    expect(await plots.isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Show the plots', expanded: false }).press('Enter');
    await plots.waitFor();
    expect(await page.getByRole('button', { name: 'Hide the plots', expanded: true }).count()).toBe(1);
  });

  test('it can be read and used without mouse and screen', async () => {
    const { page } = await open();
    await untilText('state', /^Flowing$/);
    for (const landmark of ['banner', 'main', 'contentinfo'] as const)
      expect(await page.getByRole(landmark).count(), landmark).toBe(1);
    for (const name of ['Workers', 'Errors by reason', 'Messages', 'Failures', 'Over time', 'State'])
      expect(await page.getByRole('region', { name }).count(), name).toBe(1);
    expect(await page.getByRole('columnheader', { name: 'State' }).count()).toBe(1);
    expect(await page.getByRole('rowheader', { name: 'worker-1' }).count()).toBe(1);
    expect(await page.getByRole('img', { name: /^Messages per second: now delivered/ }).count()).toBe(1);
    await page
      .getByRole('status')
      .filter({ hasText: /^Flowing\. / })
      .waitFor({ state: 'attached' });
    await page.keyboard.press('Tab');
    const focused = () =>
      page.evaluate(() => {
        const { outlineStyle } = getComputedStyle(document.activeElement ?? document.body);
        return `${document.activeElement?.textContent} ${outlineStyle}`;
      });
    expect(await focused()).toBe('Skip to the workers solid');
    await page.keyboard.press('Tab');
    expect(await page.getByRole('radio', { name: '30 min' }).evaluate((each) => each === document.activeElement)).toBe(
      true,
    );
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('radio', { name: '6 h' }).isChecked()).toBe(true);
  });

  test('the focus stays while everything is drawn anew, comes back from a dialog, and nothing moves for who wants that', async () => {
    const { fleet, page } = await open({}, { reducedMotion: 'reduce' });
    await untilText('state', /^Flowing$/);
    const focused = () => page.evaluate(() => document.activeElement?.id);
    await page.getByRole('button', { name: 'Pause…' }).press('Enter');
    expect(await page.getByRole('dialog', { name: 'Pause all deliveries' }).count()).toBe(1);
    await page.keyboard.press('Escape');
    expect(await focused()).toBe('control-pause');
    await push({ message_id: 'a' });
    await fleet.until('its delivery', ({ totals }) => totals.delivered === 1);
    await page
      .getByTestId('tile-delivered_per_second')
      .and(page.locator('[data-value]:not([data-value="0"])'))
      .waitFor();
    expect(await focused()).toBe('control-pause');
    const moving = await page.evaluate(
      () =>
        [...document.querySelectorAll('*')].filter((each) => getComputedStyle(each).transitionDuration !== '0s').length,
    );
    expect(moving).toBe(0);
  });

  test.each(['light', 'dark'] as const)('all text has enough contrast, %s', async (colorScheme) => {
    await installation.redis.client.lpush(DEAD, envelope({}));
    const { page } = await open({}, { colorScheme });
    await openPlace('dead');
    await untilText('messages', /malformed/);
    await page.getByTestId('failures-section').locator('summary').click();
    await untilText('failures-empty', /Nothing has failed/);
    expect(await page.evaluate(poorContrasts)).toEqual([]);
  });
});

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
