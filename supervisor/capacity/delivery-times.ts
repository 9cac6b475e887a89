import type { ControlClient } from '../admin/client.js';

export interface DeliveryTimes {
  readonly count: number;
  readonly meanMs: number;
}

/** Fewer say little. */
const ENOUGH = 20;

/** What the workers of the running supervisor measured since they started; undefined = none runs, or it delivered little. */
export async function deliveryTimes(client: Pick<ControlClient, 'text'>): Promise<DeliveryTimes | undefined> {
  const page = await client.text('workerMetrics').catch(() => '');
  return deliveryTimesIn(page);
}

/** @param page in Prometheus's text format */
export function deliveryTimesIn(page: string): DeliveryTimes | undefined {
  const sum = (name: string) =>
    [...page.matchAll(new RegExp(`^worker_delivery_duration_seconds_${name}\\{[^}]*\\} (\\S+)`, 'gm'))]
      .map(([, value]) => Number(value))
      .reduce((all, one) => all + one, 0);
  const count = sum('count');
  return count >= ENOUGH ? { count, meanMs: (sum('sum') * 1_000) / count } : undefined;
}
