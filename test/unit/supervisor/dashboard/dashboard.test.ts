import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/shared/time/clock.js';
import { Dashboard } from '../../../../supervisor/dashboard/dashboard.js';
import { History } from '../../../../supervisor/status/history.js';
import { conformsToLife } from '../../../support/life.js';
import { someStatus } from '../../contract/some-status.js';

const make = () =>
  new Dashboard({ status: someStatus, history: new History(), hasToken: () => true, clock: systemClock });

conformsToLife({ name: 'the dashboard', make });

test('there are events between its start and its stop', async () => {
  const dashboard = make();
  const events = async () =>
    dashboard
      .routes()
      .find(({ path }) => path === '/events')
      ?.answer({} as never);
  await expect(events()).rejects.toThrow('The supervisor is starting.');
  dashboard.start();
  expect(await events()).toMatchObject({ contentType: 'text/event-stream; charset=utf-8' });
  await dashboard.stop();
  await expect(events()).rejects.toThrow('The supervisor is stopping.');
});
