/**
 * One outage pages once, with eight workers on two hosts: promtool says with the true times what Prometheus raises then, and
 * a real Alertmanager with the shipped configuration whom it wakes for it.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { neededProgram } from '../support/program/needed-program.js';
import { waitFor } from '../support/wait-for.js';
import { ALERTMANAGER, AMTOOL, startAlertmanager, type Alertmanager } from './alertmanager.js';
import { alertRules, MONITORING, monitoringFile } from './monitoring-files.js';
import { fleetSeries, labelText, type Labels } from './outages/fleet.js';
import { OUTAGES, type Outage } from './outages/outages.js';
import { PROMTOOL } from './prometheus.js';

const promtool = await neededProgram(PROMTOOL);
const alertmanager = await neededProgram(ALERTMANAGER);
const amtool = await neededProgram(AMTOOL);
const run = promisify(execFile);

describe.skipIf(promtool === undefined)('two hosts with four workers each', () => {
  test.each(OUTAGES.map((outage) => [outage.name, outage] as const))(
    '%s: this fires, and no more',
    async (_, outage) => {
      const directory = await mkdtemp(join(tmpdir(), 'outage-'));
      try {
        const file = join(directory, 'outage.yml');
        await writeFile(file, stringify(testOf(outage), { lineWidth: 0 }));
        const { stdout, stderr } = await run(promtool ?? '', ['test', 'rules', file]).catch((error: Error) => {
          return error as Error & { stdout: string; stderr: string };
        });
        expect(stdout + stderr).toContain('SUCCESS');
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  );
});

function testOf({ change, at, firing, overAt }: Outage): object {
  const exp_samples = firing.map((labels) => ({
    labels: `ALERTS${labelText({ alertstate: 'firing', ...labels })}`,
    value: 1,
  }));
  return {
    rule_files: [join(MONITORING, 'alerts.yml')],
    evaluation_interval: '30s',
    tests: [
      {
        interval: '1m',
        input_series: fleetSeries(change),
        promql_expr_test: [
          { expr: 'ALERTS{alertstate="firing"}', eval_time: '4m', exp_samples: [] },
          { expr: 'ALERTS{alertstate="firing"}', eval_time: `${at}m`, exp_samples },
          { expr: 'ALERTS{alertstate="firing", severity="page"}', eval_time: `${overAt}m`, exp_samples: [] },
        ],
      },
    ],
  };
}

describe.skipIf(alertmanager === undefined || amtool === undefined)('Alertmanager', () => {
  let running: Alertmanager;
  beforeAll(async () => {
    running = await startAlertmanager(alertmanager ?? '');
  });
  afterAll(() => running?.stop());

  test('its configuration is accepted by amtool', async () => {
    const { stdout } = await run(amtool ?? '', ['check-config', join(MONITORING, 'alertmanager.yml')]);
    expect(stdout).toContain('SUCCESS');
  });

  test.each(OUTAGES.map((outage, number) => [outage.name, outage, `system-${number}`] as const))(
    '%s: one page',
    async (_, { firing, page }, cluster) => {
      await running.raise(firing.map((labels) => ({ ...labels, cluster })));
      const pages = () =>
        running.notifications.filter(
          ({ receiver, groupLabels }) => receiver === 'pager' && groupLabels['cluster'] === cluster,
        );
      await waitFor(() => pages().length > 0, { what: 'the page' });
      const heard = await running.heard('pager', { cluster });
      expect(new Set(heard.map(({ alertname }) => alertname))).toEqual(new Set([page]));
      expect(heard).toHaveLength(firing.filter(isPage).filter(({ alertname }) => alertname === page).length);
      expect(pages().map(({ groupLabels }) => groupLabels['alertname'])).toEqual([page]);
    },
  );

  test('of two systems with an outage each, each pages', async () => {
    const alert = { alertname: 'MessagesWaitTooLong', severity: 'page', job: 'supervisor' };
    await running.raise([
      { alertname: 'RedisDown', severity: 'page', cluster: 'one' },
      { ...alert, cluster: 'other' },
    ]);
    const page = () => running.notifications.some(({ groupLabels }) => groupLabels['cluster'] === 'other');
    await waitFor(page, { what: 'the page of the other system' });
    expect(await running.heard('pager', { cluster: 'other' })).toEqual([{ ...alert, cluster: 'other' }]);
  });
});

test('what inhibits and what is inhibited are alerts that there are', () => {
  const known = new Set(alertRules().groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)));
  const { inhibit_rules: rules } = parse(monitoringFile('alertmanager.yml')) as {
    readonly inhibit_rules: readonly { readonly source_matchers: string[]; readonly target_matchers: string[] }[];
  };
  const named = rules
    .flatMap(({ source_matchers: sources, target_matchers: targets }) => [...sources, ...targets])
    .flatMap((matcher) => /^alertname=~?"(.*)"$/.exec(matcher)?.[1]?.split('|') ?? []);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

function isPage({ severity }: Labels): boolean {
  return severity === 'page';
}
