/** Holds what ecosystem.md says of the alerts to config/monitoring. */
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { alertRules, monitoringFile } from '../../monitoring/monitoring-files.js';
import { document } from './markdown.js';

const ecosystem = document('ecosystem.md');
const rows = ecosystem.table('## Alerts');
const rules = alertRules().groups.flatMap((group) => group.rules);
const names = [...new Set(rules.map(({ alert }) => alert))];

test('the table has each alert there is, with its severities', () => {
  const severities = (name: string) =>
    rules.filter(({ alert }) => alert === name).map(({ labels }) => labels['severity']);
  const documented = rows.map(([name = '', said = '']) => [name, [...new Set(said.split(', '))].sort()]);
  expect(documented.sort()).toEqual(names.map((name) => [name, [...new Set(severities(name))].sort()]).sort());
});

test.each(rules.map((rule) => [`${rule.alert} ${rule.labels['severity']}`, rule] as const))(
  'the runbook_url of %s leads to its section',
  (_, { alert, annotations }) => {
    const [address, anchor] = (annotations['runbook_url'] ?? '').split('#');
    expect(address).toBe('file:///opt/message_broker/worker/ecosystem.md');
    expect(anchor).toBe(alert.toLowerCase());
    expect(ecosystem.anchors.filter((each) => each === anchor)).toHaveLength(1);
  },
);

test('beside what each is not said is what inhibits it', () => {
  const { inhibit_rules: inhibitions } = parse(monitoringFile('alertmanager.yml')) as {
    readonly inhibit_rules: readonly { readonly source_matchers: string[]; readonly target_matchers: string[] }[];
  };
  const namedIn = (matchers: readonly string[]) =>
    matchers.flatMap((matcher) => /^alertname=~?"(.*)"$/.exec(matcher)?.[1]?.split('|') ?? []);
  for (const [name = '', , , said = ''] of rows) {
    const sources = inhibitions
      .filter(({ target_matchers: targets }) => namedIn(targets).includes(name))
      .flatMap(({ source_matchers: from }) => namedIn(from))
      .filter((source) => source !== name);
    expect(said === '' ? [] : said.split(', ').sort(), name).toEqual([...new Set(sources)].sort());
  }
});
