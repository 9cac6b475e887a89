import { COUNTED, DELIVERY_BUCKETS, WAIT_BUCKETS, type Counts } from '../../../../src/shared/metrics/counts.js';
import type { MetricJson, SeriesJson } from '../../../../src/shared/metrics/metric-json.js';

/** What a process counted since it began. */
export interface Told {
  readonly workerId?: string;
  /** All of them took 50 to 75 ms, and their messages waited as long. */
  readonly delivered?: number;
  /** Failed attempts, by reason. */
  readonly failed?: Readonly<Record<string, number>>;
  /** Burials, by reason. */
  readonly buried?: Readonly<Record<string, number>>;
  /** Claims that ended with an acknowledgement. */
  readonly acknowledged?: number;
  /** Of the latest failure of each reason: ms since the Unix epoch, and the message's id. */
  readonly at?: number;
  readonly messageId?: string;
  /** The longest of deliveries and of waits since the last telling, in seconds; none = an earlier build, which does not tell. */
  readonly highest?: number;
}

const help = 'h';

/** As a child tells it. */
export function toldCounts(told: Told): Counts {
  const { workerId = 'worker-1', delivered = 0, failed = {}, buried = {}, at = 1, messageId = 'm' } = told;
  const { acknowledged = delivered } = told;
  const counter = (name: string, values: readonly [labels: SeriesJson['labels'], value: number][]): MetricJson => ({
    name,
    help,
    type: 'counter',
    values: values.map(([labels, value]) => ({ labels: { worker_id: workerId, ...labels }, value })),
  });
  const attempts = Object.values(failed).reduce((sum, count) => sum + count, 0);
  const reasons = Object.entries({ ...failed, ...buried });
  return {
    metrics: [
      counter(COUNTED.processed, [
        [{ status: 'delivered' }, delivered],
        [{ status: 'failed' }, attempts],
      ]),
      counter(COUNTED.delivered, [[{}, delivered]]),
      counter(COUNTED.acknowledged, [[{}, acknowledged]]),
      counter(
        COUNTED.failed,
        reasons.map(([reason, count]) => [{ reason }, count]),
      ),
      counter(COUNTED.retried, [[{}, attempts]]),
      histogram(COUNTED.delivery, DELIVERY_BUCKETS, workerId, delivered),
      histogram(COUNTED.wait, WAIT_BUCKETS, workerId, delivered),
    ],
    failures: reasons.map(([reason]) => ({ reason, at, error: `why ${reason}`, messageId })),
    ...(told.highest === undefined
      ? {}
      : { highest: { [COUNTED.delivery]: told.highest, [COUNTED.wait]: told.highest } }),
  };
}

function histogram(name: string, bounds: readonly number[], workerId: string, count: number): MetricJson {
  const labels = { worker_id: workerId };
  const upTo = (le: number | '+Inf'): SeriesJson => ({
    labels: { ...labels, le },
    value: le === '+Inf' || le >= 0.075 ? count : 0,
    metricName: `${name}_bucket`,
  });
  return {
    name,
    help,
    type: 'histogram',
    values: [
      ...bounds.map(upTo),
      upTo('+Inf'),
      { labels, value: count * 0.0625, metricName: `${name}_sum` },
      { labels, value: count, metricName: `${name}_count` },
    ],
  };
}
