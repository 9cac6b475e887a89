/**
 * What a worker tells the primary of its messages with each beat. All of it counts from the start of the process, so a
 * beat that is lost loses nothing.
 */
export interface Traffic {
  /** Deliveries by duration: one count for each of DELIVERY_BUCKETS, and one for what took longer. */
  readonly deliverySeconds: readonly number[];
  /** First attempts by their time in the queue, the same with WAIT_BUCKETS. */
  readonly waitSeconds: readonly number[];
  /** One for each reason that occurred. */
  readonly failures: readonly FailureTally[];
}

export interface FailureTally {
  /** The label of worker_messages_failed_total. */
  readonly reason: string;
  readonly count: number;
  /** Of the latest one, in ms since the Unix epoch; 0 = not known. */
  readonly at: number;
  readonly error: string;
  /** As the message has it; empty when it has none. */
  readonly messageId: string;
}

/** Upper bounds in seconds. Those of the Python client; prom-client's own lack 0.075, 0.75 and 7.5. */
export const DELIVERY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** A retry comes after 30 s, and an outage can make messages wait for an hour. */
export const WAIT_BUCKETS = [...DELIVERY_BUCKETS, 30, 60, 300, 900, 1800, 3600];

const MOST_FAILURES = 64;

/** undefined = not what a worker writes, or a worker of a version that does not send it. */
export function readTraffic(value: unknown): Traffic | undefined {
  const { deliverySeconds, waitSeconds, failures } = (value ?? {}) as Partial<Record<keyof Traffic, unknown>>;
  const isWhole =
    isCounts(deliverySeconds, DELIVERY_BUCKETS) &&
    isCounts(waitSeconds, WAIT_BUCKETS) &&
    Array.isArray(failures) &&
    failures.every(isTally);
  return isWhole ? { deliverySeconds, waitSeconds, failures: failures.slice(0, MOST_FAILURES) } : undefined;
}

function isCounts(value: unknown, buckets: readonly number[]): value is readonly number[] {
  return Array.isArray(value) && value.length === buckets.length + 1 && value.every(isNumber);
}

function isTally(value: unknown): value is FailureTally {
  const { reason, count, at, error, messageId } = (value ?? {}) as Partial<Record<keyof FailureTally, unknown>>;
  return [reason, error, messageId].every((text) => typeof text === 'string') && isNumber(count) && isNumber(at);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
