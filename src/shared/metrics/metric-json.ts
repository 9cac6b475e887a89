/** prom-client's JSON of one metric, as far as it travels to the primary. */
export interface MetricJson {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'histogram' | 'gauge';
  readonly values: readonly SeriesJson[];
}

export interface SeriesJson {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Of a histogram: `x_bucket`, `x_sum` or `x_count`. */
  readonly metricName?: string;
}

const TYPES: readonly unknown[] = ['counter', 'histogram', 'gauge'] satisfies readonly MetricJson['type'][];

/** What is no metric is left out, and so are values that JSON cannot carry (NaN). */
export function readMetrics(value: unknown): readonly MetricJson[] {
  return Array.isArray(value) ? value.map(readMetric).filter((metric) => metric !== undefined) : [];
}

function readMetric(value: unknown): MetricJson | undefined {
  const { name, help, type, values } = (value ?? {}) as Partial<Record<keyof MetricJson, unknown>>;
  if (typeof name !== 'string' || typeof help !== 'string' || !TYPES.includes(type) || !Array.isArray(values)) {
    return undefined;
  }
  return {
    name,
    help,
    type: type as MetricJson['type'],
    values: values.map(readSeries).filter((series) => series !== undefined),
  };
}

function readSeries(value: unknown): SeriesJson | undefined {
  const { labels, value: number, metricName } = (value ?? {}) as Partial<Record<keyof SeriesJson, unknown>>;
  if (typeof number !== 'number' || !Number.isFinite(number) || !areLabels(labels)) return undefined;
  return { labels, value: number, ...(typeof metricName === 'string' && { metricName }) };
}

function areLabels(value: unknown): value is SeriesJson['labels'] {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((label) => typeof label === 'string' || typeof label === 'number')
  );
}
