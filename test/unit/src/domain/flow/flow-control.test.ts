import { beforeEach, describe, expect, test } from 'vitest';
import {
  outcomeOfErrorCode,
  outcomeOfStatus,
  type DeliveryOutcome,
} from '../../../../../src/domain/delivery-outcome.js';
import { FlowControl } from '../../../../../src/domain/flow/flow-control.js';
import { aborted, delivered, refused } from './breaker-outcomes.js';

const timedOut = outcomeOfErrorCode('ETIMEDOUT', '', true);
const tooMany = outcomeOfStatus(429, '');

let flow: FlowControl;
let now: number;
let consumers: number;
let inFlightCap: number | undefined;
const pace = { isHolding: false };

function newFlow(concurrency: number, control: 'adaptive' | 'fixed' = 'adaptive'): FlowControl {
  return new FlowControl({
    concurrency,
    control,
    share: {
      get consumers() {
        return consumers;
      },
      get inFlightCap() {
        return inFlightCap;
      },
    },
    pace,
    random: () => 0.999_999,
    loopBusyMs: () => 0,
  });
}

beforeEach(() => {
  now = 0;
  consumers = 1;
  inFlightCap = undefined;
  pace.isHolding = false;
  flow = newFlow(64);
});

/** As many at once as are allowed, over and over, each answered after `ms`. */
function deliver(count: number, ms: number, outcome: DeliveryOutcome = delivered): void {
  for (let done = 0; done < count;) {
    const tickets = Array.from({ length: flow.limit }, () => flow.begin(now));
    flow.full();
    now += ms;
    for (const ticket of tickets) flow.record(ticket, outcome, ms, now);
    done += tickets.length;
  }
}

describe('the limit', () => {
  test('begins with 4, and 12 for the fleet', () => {
    expect(flow.limit).toBe(4);
    consumers = 4;
    expect(flow.limit).toBe(3);
    consumers = 40;
    expect(flow.limit).toBe(1);
    expect(flow.heldBy(now)).toBe('demand');
  });

  test('rises to all of WORKER_CONCURRENCY within half a second at a server that answers at once', () => {
    for (; flow.limit < 64;) deliver(64, 0.5);
    expect(now).toBeLessThan(500);
    deliver(10_000, 0.5);
    expect(flow.limit).toBe(64);
    expect(flow.heldBy(now)).toBe('concurrency');
  });

  test('is WORKER_CONCURRENCY where the control is fixed, whatever happens', () => {
    flow = newFlow(16, 'fixed');
    flow.record(flow.begin(now), tooMany, 1, now);
    deliver(1_000, 100);
    expect(flow.limit).toBe(16);
    expect(flow.heldBy(now)).toBe('concurrency');
  });

  test('answers to messages that the server does not know say nothing of its speed', () => {
    const unknown = outcomeOfStatus(404, '{"error":"Message not found","status_code":404}');
    deliver(1_000, 0.5, unknown);
    expect(flow.limit).toBe(4);
  });

  test('is halved by a 429, and once for all that were in flight then', () => {
    for (; flow.limit < 64;) deliver(64, 0.5);
    const tickets = Array.from({ length: 64 }, () => flow.begin(now));
    for (const ticket of tickets.slice(0, 9)) flow.record(ticket, tooMany, 1, now);
    expect(flow.limit).toBe(32);
    for (const ticket of tickets.slice(9)) flow.record(ticket, delivered, 1, now);
    flow.record(flow.begin(now), tooMany, 1, now);
    expect(flow.limit).toBe(16);
    expect(flow.heldBy(now)).toBe('server');
  });

  test('the cap of the fleet holds it where it is lower', () => {
    inFlightCap = 2;
    expect(flow.heldBy(now)).toBe('fleet_cap');
  });

  test('the rate of the fleet holds it whatever it is, and not one that has no part of the cap', () => {
    pace.isHolding = true;
    inFlightCap = 2;
    expect(flow.facts(now)).toEqual({ limit: 2, heldBy: 'rate' });
    inFlightCap = 0;
    expect(flow.heldBy(now)).toBe('fleet_cap');
  });
});

describe('a time-out', () => {
  const timeOut = () => {
    const ticket = flow.begin(now);
    now += 30_000;
    flow.record(ticket, timedOut, 30_000, now);
  };

  test('makes it ask for the health of the server; if it is well, nothing changes, however many there are', () => {
    for (; flow.limit < 64;) deliver(64, 0.5);
    for (let hung = 0; hung < 50; hung += 1) {
      timeOut();
      expect(flow.probeDueInMs(now)).toBe(0);
      flow.probed(hung % 2 === 0 ? 'reachable' : 'unsupported', now);
    }
    expect(flow.limit).toBe(64);
    expect(flow.breaker.state).toBe('closed');
    expect(flow.breaker.allowance()).toBe('all');
  });

  test('needs no asking where another delivery was answered', () => {
    timeOut();
    flow.record(flow.begin(now), delivered, 1, now);
    expect(flow.probeDueInMs(now)).toBeUndefined();
  });

  test('halves the limit if the server is not well, and ten in a row open the breaker', () => {
    for (; flow.limit < 64;) deliver(64, 0.5);
    timeOut();
    flow.probed('unreachable', now);
    expect(flow.limit).toBe(32);
    for (let hung = 1; hung < 10; hung += 1) timeOut();
    expect(flow.breaker.state).toBe('closed');
    expect(flow.breaker.allowance()).toBe('none');
    flow.probed('unhealthy', now);
    expect(flow.breaker.state).toBe('open');
    expect(flow.limit).toBe(1);
  });

  test('asks at most once a second', () => {
    const [first, second] = [flow.begin(now), flow.begin(now)];
    flow.record(first, timedOut, 30_000, (now += 30_000));
    flow.probed('unreachable', now);
    flow.record(second, timedOut, 30_300, (now += 300));
    expect(flow.probeDueInMs(now)).toBe(700);
  });
});

describe('an outage', () => {
  const cutOff = () => {
    for (let failed = 0; failed < 10; failed += 1) flow.record(flow.begin(now), refused, 1, now);
    expect(flow.breaker.state).toBe('open');
  };

  test('is followed by one delivery at a time, and soon by as many as before', () => {
    for (; flow.limit < 64;) deliver(64, 0.5);
    const late = flow.begin(now);
    cutOff();
    expect(flow.heldBy(now)).toBe('breaker');
    now += 5_000;
    flow.probed('reachable', now);
    // of before the outage: says nothing
    flow.record(late, delivered, 5_000, now);
    flow.record(flow.begin(now), delivered, 0.5, (now += 0.5));
    expect(flow.breaker.state).toBe('closed');
    expect(flow.limit).toBe(1);
    const from = now;
    for (; flow.limit < 64;) deliver(64, 0.5);
    expect(now - from).toBeLessThan(500);
  });

  test('all that is in flight after it hangs: as many as at the start may be begun, if the server is well', () => {
    deliver(100, 5);
    cutOff();
    flow.probed('reachable', (now += 5_000));
    flow.record(flow.begin(now), delivered, 5, now);
    flow.begin(now);
    expect(flow.limit).toBe(1);
    expect(flow.probeDueInMs(now)).toBe(5_000);
    now += 5_000;
    flow.probed('reachable', now);
    expect(flow.limit).toBe(4);
    expect(flow.probeDueInMs(now)).toBeUndefined();
  });
});

describe('Retry-After', () => {
  const answer = (status: number, retryAfter: number) =>
    flow.record(flow.begin(now), outcomeOfStatus(status, '', retryAfter), 1, now);

  test.each([429, 503])('of a %i holds the flow until its time is over', (status) => {
    answer(status, 20_000);
    expect(flow.holdMs(now)).toBe(20_000);
    expect(flow.heldBy(now)).toBe('retry_after');
    now += 19_999;
    expect(flow.holdMs(now)).toBe(1);
    now += 1;
    expect(flow.holdMs(now)).toBe(0);
    expect(flow.heldBy(now)).not.toBe('retry_after');
  });

  test('a shorter one does not end it', () => {
    answer(503, 20_000);
    answer(503, 1_000);
    expect(flow.holdMs(now)).toBe(20_000);
  });

  test('of a 503 is followed by one delivery at a time', () => {
    for (; flow.limit < 64;) deliver(64, 0.5);
    answer(503, 20_000);
    now += 20_000;
    expect(flow.limit).toBe(1);
  });

  test('the server is not probed meanwhile, breaker or not', () => {
    for (let failed = 0; failed < 10; failed += 1) answer(503, 60_000);
    expect(flow.breaker.state).toBe('open');
    expect(flow.probeDueInMs(now)).toBe(60_000);
  });
});

test('what was cut by a kill counts as nothing', () => {
  flow.record(flow.begin(now), aborted, 20_000, now);
  expect(flow.probeDueInMs(now)).toBeUndefined();
});
