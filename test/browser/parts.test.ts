/** What one section of the page cannot show keeps no other from showing the rest. */
import { describe, expect, test } from 'vitest';
import { neededProgram } from '../support/program/needed-program.js';
import { CHROMIUM } from './support/browser.js';
import { useDashboard } from './support/opened-dashboard.js';

const chromium = await neededProgram(CHROMIUM);

describe.skipIf(chromium === undefined)('the sections of the dashboard', () => {
  const { open, untilText } = useDashboard(chromium);

  test('one that fails says so in its place, the others go on, and it recovers', async () => {
    let isBroken = false;
    const { page, wrong } = await open({}, {}, (event) => {
      return isBroken ? { ...event, status: { ...event.status, errors: null } } : event;
    });
    await untilText('state', /^Flowing$/);
    isBroken = true;
    const errors = page.getByRole('region', { name: 'Errors by reason' }).getByRole('alert');
    await errors.filter({ hasText: /^This part of the page cannot be shown and may be old: TypeError/ }).waitFor();
    // what comes after it
    const certificates = page.getByRole('region', { name: 'Certificates' });
    await certificates.getByText('worker.crt').waitFor();
    expect(await certificates.getByRole('alert').count()).toBe(0);
    // told to whoever debugs it, and not again with each event
    expect(wrong).toEqual([expect.stringContaining('TypeError')]);
    isBroken = false;
    await errors.waitFor({ state: 'detached' });
    await untilText('state', /^Flowing$/);
  });
});
