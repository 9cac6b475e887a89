/** What a browser loads of the page before it shows anything. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { neededProgram } from '../support/program/needed-program.js';
import { CHROMIUM } from './support/browser.js';
import { useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);
/** As served: nothing is compressed on the way. */
const MOST_BYTES = 150_000;

describe.skipIf(chromium === undefined)('the weight of the dashboard', () => {
  const { open, untilText } = useDashboard(chromium);

  test('its files are under 150 KB together, and whoever debugs it finds the sources of them', async () => {
    const { fleet, page, wrong } = await open();
    await untilText('state', /^Flowing$/);
    const requested = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    const paths = requested.map((url) => new URL(url).pathname).filter((path) => path.startsWith('/dashboard/'));
    expect(paths).toEqual(expect.arrayContaining(['/dashboard/page.css', '/dashboard/page.js']));
    // as every file that names a map, it is loaded only by a debugger
    expect(paths).not.toContain('/dashboard/page.js.map');
    const files = await Promise.all(
      ['/', ...new Set(paths)].map(async (path) => ({ path, body: Buffer.from(await fleet.get(path)) })),
    );
    console.log(files.map(({ path, body }) => `${path}: ${body.length}, gzip ${gzipSync(body).length}`).join('; '));
    expect(files.reduce((sum, { body }) => sum + body.length, 0)).toBeLessThan(MOST_BYTES);

    const { sources } = JSON.parse(await fleet.get('/dashboard/page.js.map')) as { sources: string[] };
    expect(sources).toContain('../../../../supervisor/dashboard/page/page.ts');
    expect(wrong).toEqual([]);
  });
});
