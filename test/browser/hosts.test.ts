/** The page's table of hosts: of two supervisors one is killed. */
import { describe, expect, test } from 'vitest';
import { neededProgram } from '../support/program/needed-program.js';
import { CHROMIUM } from './support/browser.js';
import { useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);

describe.skipIf(chromium === undefined)('the hosts on the page', () => {
  const { installation, open, text, untilText } = useDashboard(chromium);

  test('they are counted at once, listed when opened, and one that is killed is said to have vanished', async () => {
    const { fleet, page, wrong } = await open({ WORKER_COUNT: 2 }, { viewport: { width: 390, height: 844 } });
    await untilText('hosts-count', /^1 alive$/);
    const asked: string[] = [];
    page.on('request', (request) => void asked.push(new URL(request.url()).pathname));
    const other = await installation.start({ WORKER_COUNT: 1 });
    await other.ready(1);
    await untilText('hosts-count', /^2 alive$/);
    expect(asked).not.toContain('/fleet');
    // with the keyboard, as with the mouse
    await page.getByTestId('hosts-summary').focus();
    await page.keyboard.press('Enter');
    await untilText(`host-${fleet.port}`, /running.*2 of 2/s);
    await untilText(`host-${other.port}`, /running.*1 of 1/s);
    expect(await page.getByRole('region', { name: 'Hosts' }).count()).toBe(1);

    other.program.signal('SIGKILL');
    await untilText('hosts-count', /^1 alive, 1 vanished$/);
    await untilText(`host-${other.port}`, /vanished.*\d+ s ago/s);
    expect(await text(`host-${other.port}`)).not.toContain('1 of 1');
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll('html, .panel')].filter((each) => each.scrollWidth > each.clientWidth).map(String),
    );
    expect(wide).toEqual([]);
    expect(wrong).toEqual([]);
  });
});
