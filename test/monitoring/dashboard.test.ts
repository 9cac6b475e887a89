import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboard, monitoringFile } from './monitoring-files.js';

const { panels, templating, annotations } = dashboard();
const shown = panels.filter(({ type }) => type !== 'row');

test('the six panels of the Python worker are there', () => {
  const titles = shown.map(({ title }) => title);
  for (const title of [
    'Messages processed per second',
    'Delivery success rate',
    'Average delivery duration',
    'Queue wait time',
    'Active workers count',
    'Error rate by reason',
  ]) {
    expect(titles).toContain(title);
  }
});

test('every query asks the data source that the reader chose', () => {
  expect(templating.list).toContainEqual(expect.objectContaining({ name: 'datasource', type: 'datasource' }));
  for (const { title, targets } of shown) {
    expect(targets, title).not.toHaveLength(0);
    for (const { datasource } of targets ?? []) {
      expect(datasource, title).toEqual({ type: 'prometheus', uid: '${datasource}' });
    }
  }
});

test('a host and a worker can be chosen, and its plots are marked by what somebody did', () => {
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'host', 'worker']);
  expect(annotations.list.map(({ name }) => name)).toEqual(['Reload', 'Restart', 'Pause']);
  for (const { datasource } of annotations.list) {
    expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
  }
});

test('what a worker tells can be narrowed to a host', () => {
  const queries = shown.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const ofWorkers = queries.filter((expr) => expr.includes('worker_id=~"$worker"'));
  expect(ofWorkers.length).toBeGreaterThan(15);
  expect(ofWorkers.filter((expr) => !expr.includes('host=~"$host"'))).toEqual([]);
});

test('panels have an id and a place of their own', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});

test('the provisioning examples are YAML that Grafana reads', () => {
  const sources = parse(monitoringFile('grafana/provisioning/datasources/prometheus.yml')) as Record<string, unknown>;
  expect(sources).toMatchObject({ apiVersion: 1, datasources: [{ type: 'prometheus' }] });
  const providers = parse(monitoringFile('grafana/provisioning/dashboards/worker.yml')) as Record<string, unknown>;
  expect(providers).toMatchObject({ apiVersion: 1, providers: [{ type: 'file' }] });
});
