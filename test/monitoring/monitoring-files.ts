/** The files of config/monitoring, parsed. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { CAUSE } from '../../src/shared/words/causes.js';

export const MONITORING = fileURLToPath(new URL('../../config/monitoring/', import.meta.url));

export type Cause = keyof typeof CAUSE;

/** The alert that names each cause. */
export const ALERT_OF: Readonly<Record<Cause, string>> = {
  redis: 'RedisDown',
  mainServer: 'BreakerOpen',
  certificate: 'CertificateExpired',
  hang: 'WorkerHung',
  backlog: 'QueueBacklog',
};

/** Those fire in the fault drill (test/browser/drill.test.ts), all others in live.test.ts. */
export const DRILLED: readonly string[] = Object.values(ALERT_OF);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

interface Target {
  readonly expr: string;
  readonly datasource: unknown;
  readonly legendFormat: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
}

/** A mark in all plots. */
interface Annotation {
  readonly name: string;
  readonly datasource: unknown;
  readonly expr: string;
}

interface Dashboard {
  readonly uid: string;
  readonly annotations: { readonly list: readonly Annotation[] };
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

export function monitoringFile(name: string): string {
  return readFileSync(MONITORING + name, 'utf8');
}

export function alertRules(): RuleFile {
  // maxAliasCount: annotations that several rules share are written once
  return parse(monitoringFile('alerts.yml'), { maxAliasCount: 10 }) as RuleFile;
}

export function dashboard(): Dashboard {
  return JSON.parse(monitoringFile('grafana/dashboards/worker_dashboard.json')) as Dashboard;
}
