/** The eight metrics of the Python worker, and one more that is counted for each delivery. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { BURIAL_REASONS } from '../../domain/dead-letters/reasons.js';
import { FAILURE_REASONS } from '../../domain/delivery-outcome.js';
import { COUNTED, DELIVERY_BUCKETS, WAIT_BUCKETS } from './counts.js';
import { FixedHistogram } from './histogram.js';

/**
 * All series exist from the start: a counter born at 1 shows no increase. `heldMessages`: in hand, and not being processed.
 */
export function messageMetrics(registry: Registry, workerId: string, heldMessages = () => 0) {
  const failed = new Counter({
    name: COUNTED.failed,
    help: 'Total number of messages that failed delivery',
    labelNames: ['worker_id', 'reason'],
    registers: [registry],
  });
  const retried = new Counter({
    name: COUNTED.retried,
    help: 'Total number of message retry attempts',
    labelNames: ['worker_id'],
    registers: [registry],
  });
  new Gauge({
    name: 'worker_active_workers',
    help: 'Number of active worker processes',
    registers: [registry],
  }).set(1);
  const reasons = [...FAILURE_REASONS, ...BURIAL_REASONS];
  return {
    ...deliveryMetrics(registry, workerId),
    failed: new Map<string, Counter.Internal>(
      reasons.map((reason) => [reason, fromZero(failed.labels(workerId, reason))]),
    ),
    retried: fromZero(retried.labels(workerId)),
    ...durationMetrics(registry, workerId, heldMessages),
  };
}

/** Counted for each delivery, so they are plain numbers until a scrape asks: two `inc` took 0.6 of 60 µs. */
function deliveryMetrics(registry: Registry, workerId: string) {
  const processed = { delivered: 0, failed: 0 };
  const delivered = { count: 0 };
  const acknowledged = { count: 0 };
  new Counter({
    name: COUNTED.processed,
    help: 'Total number of messages processed',
    labelNames: ['worker_id', 'status'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [status, count] of Object.entries(processed)) this.inc({ worker_id: workerId, status }, count);
    },
  });
  new Counter({
    name: COUNTED.delivered,
    help: 'Total number of messages successfully delivered',
    labelNames: ['worker_id'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ worker_id: workerId }, delivered.count);
    },
  });
  new Counter({
    name: COUNTED.acknowledged,
    help: 'Total number of claims that ended with an acknowledgement, after which the message is in Redis no more',
    labelNames: ['worker_id'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ worker_id: workerId }, acknowledged.count);
    },
  });
  return { processed, delivered, acknowledged };
}

function durationMetrics(registry: Registry, workerId: string, heldMessages: () => number) {
  const labels = { worker_id: workerId };
  const delivery = new FixedHistogram({
    name: COUNTED.delivery,
    help: 'Message delivery duration in seconds',
    buckets: DELIVERY_BUCKETS,
    labels,
    registry,
  });
  const wait = new FixedHistogram({
    name: COUNTED.wait,
    help: 'Time message spent in queue before processing',
    buckets: WAIT_BUCKETS,
    labels,
    registry,
  });
  const processing = { now: 0 };
  new Gauge({
    name: 'worker_processing_messages',
    help: 'Number of messages currently being processed',
    labelNames: ['worker_id'],
    registers: [registry],
    collect() {
      this.set(labels, Math.max(0, processing.now - heldMessages()));
    },
  });
  return { delivery, wait, processing };
}

export function fromZero(counter: Counter.Internal): Counter.Internal {
  counter.inc(0);
  return counter;
}
