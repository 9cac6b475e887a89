import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { neededProgram } from '../support/program/needed-program.js';
import { BACKLOG_MESSAGES, CAUSE } from '../../src/shared/words/causes.js';
import { ALERT_OF, MONITORING, alertRules, monitoringFile, type Cause } from './monitoring-files.js';
import { PROMTOOL } from './prometheus.js';

const promtool = await neededProgram(PROMTOOL);
const rules = alertRules().groups.flatMap((group) => group.rules);

describe.skipIf(promtool === undefined)('promtool', () => {
  test.each([
    ['the configuration and the rules it names', ['check', 'config', 'prometheus.yml']],
    ['the rules', ['check', 'rules', 'alerts.yml']],
    ['when each rule fires', ['test', 'rules', 'alerts.test.yml']],
  ])('accepts %s', async (_, args) => {
    const { stdout } = await promisify(execFile)(promtool ?? '', args, { cwd: MONITORING });
    expect(stdout).toContain('SUCCESS');
    expect(stdout).not.toContain('FAILED');
  });
});

test('the three alerts of the Python worker keep their names, thresholds and summaries', () => {
  const named = (name: string) => rules.find(({ alert }) => alert === name);
  expect(named('WorkerDown')).toMatchObject({ expr: 'up{job="workers"} == 0', for: '1m' });
  expect(named('HighErrorRate')?.expr).toContain('rate(worker_messages_failed_total[5m])) > 0.1');
  expect(named('QueueBacklog')).toMatchObject({
    expr: 'max without (instance, host, pod) (redis_queue_length) > 10000',
    for: '5m',
  });
  expect(named('WorkerDown')?.annotations['summary']).toBe('Worker {{ $labels.instance }} is down');
  expect(named('HighErrorRate')?.annotations['summary']).toBe('High error rate on {{ $labels.worker_id }}');
  expect(named('QueueBacklog')?.annotations['summary']).toBe('Message queue backlog exceeds 10,000');
});

test.each(rules.map((rule) => [rule.alert, rule] as const))('%s says what it means and what to type', (_, rule) => {
  expect(rule.labels['severity']).toMatch(/^(page|warning|info)$/);
  expect(rule.annotations['summary']).toBeTruthy();
  expect(rule.annotations['description']).toBeTruthy();
  expect(rule.annotations['runbook']).toMatch(/`[^`]+`/);
});

test.each(Object.entries(ALERT_OF))('for the cause %s, %s says the words of the program', (cause, alert) => {
  const named = rules.filter((rule) => rule.alert === alert);
  expect(named).not.toHaveLength(0);
  for (const { annotations } of named) {
    expect(annotations['summary']?.toLowerCase()).toContain(CAUSE[cause as Cause].toLowerCase());
  }
});

test('the alert of a backlog and the program mean the same number', () => {
  expect(rules.find(({ alert }) => alert === ALERT_OF.backlog)?.expr).toContain(
    `(redis_queue_length) > ${BACKLOG_MESSAGES}`,
  );
});

test('every rule has a case in which it fires', () => {
  const cases = parse(monitoringFile('alerts.test.yml')) as {
    readonly tests: readonly {
      readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[];
    }[];
  };
  const seen = cases.tests
    .flatMap(({ promql_expr_test: checks }) => checks.flatMap(({ exp_samples: samples }) => samples))
    .map(({ labels }) => labels);
  const unseen = rules.filter(
    ({ alert, labels }) =>
      !seen.some((text) =>
        Object.entries({ alertname: alert, ...labels }).every(([name, value]) => text.includes(`${name}="${value}"`)),
      ),
  );
  expect(unseen.map(({ alert, labels }) => `${alert} ${JSON.stringify(labels)}`)).toEqual([]);
});
