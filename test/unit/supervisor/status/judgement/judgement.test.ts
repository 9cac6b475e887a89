import { describe, expect, test } from 'vitest';
import { NO_ARRIVALS } from '../../../../../supervisor/status/arrivals-meter.js';
import { healthOf } from '../../../../../supervisor/status/documents/health.js';
import { readinessOf } from '../../../../../supervisor/status/documents/readiness.js';
import { concernsOf } from '../../../../../supervisor/status/judgement/concerns.js';
import { judged } from '../../../../../supervisor/status/judgement/judged.js';
import { Onsets } from '../../../../../supervisor/status/judgement/onsets.js';
import type { StatusFacts, WorkerStatus } from '../../../../../supervisor/status/status-document.js';
import { NO_TRAFFIC } from '../../../../../supervisor/status/traffic-meter.js';
import { BACKOFF, factsOf } from './facts.js';

const headline = (facts: StatusFacts) => judged(facts, new Onsets(), 0).headline;
const eight = (worker: Partial<WorkerStatus>) => Array.from({ length: 8 }, () => worker);

const cutOff = (reason: string): Partial<WorkerStatus> => ({
  state: 'degraded',
  consuming: false,
  breaker: 'open',
  breaker_reason: reason,
  next_look_seconds: 3.2,
  reasons: ['as its beat says it; claiming is paused'],
  causes: ['main_server'],
});
const noRedis: Partial<WorkerStatus> = {
  state: 'degraded',
  consuming: false,
  redis_up: false,
  reasons: ['Cannot connect to Redis at 127.0.0.1:6379: Connection refused'],
  causes: ['redis'],
};
const AWAY = { redis_up: false, waiting: null, processing: null, retrying: null, dead: null };
const PAUSED = { id: 'p', who: 'anna', where: 'web-1', why: 'new main server', until: null };
const FAILING = {
  traffic: { ...NO_TRAFFIC, window_seconds: 30, delivered: 2, failed: 12 },
  errors: [
    {
      reason: 'http_500',
      count: 12,
      recent_count: 12,
      last_at: null,
      last_error: 'HTTP 500',
      last_message_id: null,
      last_worker_id: 'worker-1',
    },
  ],
};

/** What is wrong, the headline's state and cause, and the only sentences of /ready. */
const OUTAGES: readonly (readonly [string, StatusFacts, string, string, readonly string[]])[] = [
  [
    'Redis is down',
    factsOf(eight(noRedis), { queue: AWAY }),
    'stopped',
    'redis',
    ['Redis cannot be reached by the supervisor and 8 of 8 workers: 127.0.0.1:6379: Connection refused'],
  ],
  [
    'the main server is down',
    factsOf(eight(cutOff('connection_refused')), FAILING),
    'stopped',
    'main_server',
    ['the main server cannot be reached (connection_refused): 8 of 8 workers have paused claiming'],
  ],
  [
    'the main server answers 503',
    factsOf(eight(cutOff('http_503'))),
    'stopped',
    'main_server',
    ['the main server answers 503 and is given a rest: 8 of 8 workers have paused claiming'],
  ],
  [
    'all crash',
    factsOf([BACKOFF, BACKOFF]),
    'stopped',
    'crash',
    ['2 of 2 workers are started again: the last process exited with code 1'],
  ],
  ['the only worker hangs', factsOf([hung()]), 'stopped', 'hang', ['worker-1 has sent no heartbeat for 3 s']],
  [
    'all have just been started',
    factsOf([starting(), starting()]),
    'stopped',
    'starting',
    ['no worker takes messages: 2 of 2 workers are starting'],
  ],
  ['there is no worker', factsOf([]), 'stopped', 'stuck', ['no worker takes messages']],
  [
    'one crashed, the other has just been started',
    factsOf([BACKOFF, starting()]),
    'stopped',
    'crash',
    [
      'worker-1 is started again: the last process exited with code 1',
      'no worker takes messages: worker-2 is starting',
    ],
  ],
  [
    'we stop',
    factsOf([{}], { supervisor: { state: 'stopping' } }),
    'stopped',
    'stopping',
    ['the supervisor is stopping'],
  ],
];

test.each(OUTAGES)('%s: one sentence for each cause', (_, facts, state, cause, reasons) => {
  expect(headline(facts)).toMatchObject({ state, cause, text: reasons[0], left_out: 0 });
  expect(readinessOf(facts)).toMatchObject({ status: 503, body: { ready: false, reasons, warnings: [] } });
});

const TROUBLES: readonly (readonly [string, StatusFacts, string, string])[] = [
  ['one of eight crashed', factsOf([BACKOFF, ...eight({}).slice(1)]), 'crash', 'worker-1 is started again: '],
  [
    'three of eight are cut off',
    factsOf([...Array.from({ length: 3 }, () => cutOff('dns')), ...eight({}).slice(3)]),
    'main_server',
    'the main server cannot be reached (dns): 3 of 8 workers (worker-1, worker-2, worker-3) have paused claiming',
  ],
  [
    'five of eight do not reach Redis',
    factsOf([...Array.from({ length: 5 }, () => noRedis), ...eight({}).slice(5)]),
    'redis',
    'Redis cannot be reached by 5 of 8 workers (worker-1, worker-2, worker-3, and 2 more): ',
  ],
  [
    'the supervisor alone does not reach Redis',
    factsOf([{}], { queue: AWAY }),
    'redis',
    'Redis cannot be reached by the supervisor, which cannot see how many messages wait',
  ],
  [
    'metrics ports are taken',
    factsOf(
      eight({}).map((_, at) => ({
        state: 'degraded',
        reasons: [`metrics port ${9100 + at} is taken`],
        causes: ['port'],
      })),
    ),
    'port',
    '8 of 8 workers are degraded: their metrics ports are taken',
  ],
  [
    'attempts fail',
    factsOf([{}], FAILING),
    'failing',
    '12 of 14 attempts of the last 30 s failed; the latest: HTTP 500',
  ],
  [
    'a reload failed',
    factsOf([{}], {
      supervisor: {
        last_reload: { at: '', ok: false, reason: 'x', remarks: [] },
        reasons: ['the last reload failed: x'],
      },
    }),
    'reload',
    'the last reload failed: x',
  ],
  [
    'an eviction policy',
    factsOf([{}], { queue: { eviction_policy: 'allkeys-lru' } }),
    'eviction',
    'Redis has maxmemory-policy allkeys-lru, which can delete the queue',
  ],
  [
    'a certificate has expired that nobody asked for',
    factsOf([{}], {
      certificates: [{ file: 'certs/worker.crt', not_after: '2026-01-02T03:04:05.000Z', expired: true }],
    }),
    'certificate',
    'the certificate has expired: certs/worker.crt ended on 2026-01-02',
  ],
];

test.each(TROUBLES)('%s: messages flow all the same', (_, facts, cause, text) => {
  const said = headline(facts);
  expect(said).toMatchObject({ state: 'degraded', cause, further: [], left_out: 0 });
  expect(said.text).toContain(text);
  expect(readinessOf(facts)).toMatchObject({ status: 200, body: { ready: true, reasons: [], warnings: [said.text] } });
  expect(healthOf(facts)).toMatchObject({ status: 200, body: { status: 'degraded', reasons: [said.text] } });
});

test('an expired certificate is why nobody is let in', () => {
  const [, { certificates } = factsOf([])] = TROUBLES.at(-1) ?? [];
  const said = headline(factsOf(eight(cutOff('connection_reset')), { certificates }));
  expect(said).toMatchObject({ state: 'stopped', cause: 'certificate', further: [{ cause: 'main_server' }] });
});

test('the next look is the soonest of all workers', () => {
  const facts = factsOf([cutOff('http_503'), { ...cutOff('http_503'), next_look_seconds: 1.5 }]);
  expect(headline(facts).next_look_seconds).toBe(1.5);
});

test('a pause is said once, whoever keeps it', () => {
  const held = { held_by: 'paused', reasons: ['deliveries are paused'], causes: ['held'] } as const;
  const facts = factsOf(eight(held), { queue: { paused: PAUSED } });
  expect(headline(facts)).toMatchObject({
    state: 'paused',
    text: 'deliveries are paused by anna on web-1 until somebody ends it: new main server',
    advice: { command: 'message-broker-worker resume' },
    further: [],
  });
  expect(readinessOf(factsOf(eight(held))).body.warnings).toEqual([
    '8 of 8 workers claim nothing: deliveries are paused',
  ]);
});

test('who pauses for a main server that is being mended is not told that nothing is ready', () => {
  const cut = eight(cutOff('connection_refused'));
  const paused = factsOf(cut, { queue: { paused: PAUSED } });
  expect(readinessOf(paused)).toMatchObject({ status: 200, body: { paused: PAUSED, reasons: [] } });
  expect(headline(paused)).toMatchObject({ state: 'paused', cause: 'paused', further: [{ cause: 'main_server' }] });
  expect(readinessOf(factsOf(cut)).status).toBe(503);
});

test('what is held as it was set up is no trouble, and a rest that was asked for is a headline', () => {
  const capped = { held_by: 'fleet_cap', reasons: ['fleet cap: nothing is left'], causes: ['held'] } as const;
  expect(headline(factsOf([capped, {}]))).toMatchObject({ state: 'flowing', cause: null });
  expect(readinessOf(factsOf([capped, {}])).body.warnings).toEqual([
    'worker-1 claims nothing: fleet cap: nothing is left',
  ]);
  const rests = (seconds: number) => ({ held_by: 'retry_after', next_look_seconds: seconds }) as const;
  expect(headline(factsOf([rests(20), rests(19)]))).toMatchObject({
    state: 'degraded',
    text: 'the main server asks for rest (Retry-After): 2 of 2 workers claim nothing until it is over',
    next_look_seconds: 19,
  });
  expect(healthOf(factsOf([rests(20)])).body.status).toBe('healthy');
});

describe('what is to be done about a backlog', () => {
  const backlog = (changes: Partial<StatusFacts['queue']>, worker: Partial<WorkerStatus> = {}) =>
    concernsOf(factsOf([worker, worker], { queue: { waiting: 12_000, ...changes } })).find(
      ({ cause }) => cause === 'backlog',
    );
  test.each([
    ['an outage', backlog({}, cutOff('dns')), 'worked off once messages flow again'],
    ['a pause', backlog({ paused: PAUSED }), 'worked off once messages flow again'],
    [
      'it shrinks',
      backlog({ arrivals: { ...NO_ARRIVALS, trend: 'shrinking', caught_up_in_seconds: 130 } }),
      'it shrinks',
    ],
    ['a slow main server', backlog({}, { limited_by: 'server' }), 'bears no more at once'],
    ['the cap', backlog({}, { limited_by: 'fleet_cap' }), 'MAIN_SERVER_MAX_IN_FLIGHT'],
    ['the rate', backlog({}, { limited_by: 'rate' }), 'MAIN_SERVER_MAX_RATE'],
    ['too few slots', backlog({}, { limited_by: 'concurrency' }), 'raise WORKER_CONCURRENCY'],
  ])('%s', (_, concern, advice) => {
    expect(concern?.text).toMatch(/^queue backlog: 12000 messages wait, (?:more than 10000|caught up in about)/);
    expect(concern?.advice?.text).toContain(advice);
  });
  test('how long it takes is said', () => {
    const shrinking = { ...NO_ARRIVALS, trend: 'shrinking', caught_up_in_seconds: 130 } as const;
    expect(backlog({ arrivals: shrinking })?.text).toBe(
      'queue backlog: 12000 messages wait, caught up in about 2 min 10 s',
    );
    expect(headline(factsOf([{}, {}], { queue: { waiting: 3_000, arrivals: shrinking } }))).toMatchObject({
      state: 'flowing',
      text: '2 of 2 workers take messages; 3000 wait, caught up in about 2 min 10 s',
      advice: { text: 'Nothing has to be done: it shrinks.' },
    });
    expect(headline(factsOf([{}, {}])).advice).toBeNull();
  });
  test('10,000 waiting messages are none yet', () => {
    expect(readinessOf(factsOf([{}], { queue: { waiting: 10_000 } })).body.warnings).toEqual([]);
  });
});

test('what is not known is not said to be nothing', () => {
  expect(headline(factsOf([{}], { queue: { waiting: null } })).text).toContain('how many wait is not known yet');
  expect(headline(factsOf([{}])).text).toBe('the worker takes messages; nothing waits');
});

test('a headline has a few further sentences, and says how many it leaves out', () => {
  const reasons = ['one', 'two', 'three', 'four', 'five'];
  const said = headline(factsOf([{}], { supervisor: { reasons } }));
  expect(said).toMatchObject({
    text: 'one',
    further: [{ text: 'two' }, { text: 'three' }, { text: 'four' }],
    left_out: 1,
  });
});

test('since when: from its first look to its end, and anew when it returns', () => {
  const onsets = new Onsets();
  const since = (facts: StatusFacts, second: number) =>
    judged(facts, onsets, second * 1_000).headline.since.slice(17, 19);
  const down = factsOf(eight(cutOff('dns')));
  const both = factsOf(eight(noRedis), { queue: AWAY });
  expect([0, 1].map((second) => since(factsOf([{}]), second))).toEqual(['00', '00']);
  expect([2, 3, 4].map((second) => since(down, second))).toEqual(['02', '02', '02']);
  // what is worse stands above it
  expect(since({ ...both, workers: [...both.workers, ...down.workers] }, 5)).toBe('05');
  expect(since(down, 6)).toBe('02');
  expect(since(factsOf([{}]), 7)).toBe('07');
  expect(since(down, 8)).toBe('08');
});

test('since when more waits than is on its way, while nothing is wrong', () => {
  const onsets = new Onsets();
  const since = (trend: 'none' | 'growing' | 'shrinking', second: number) => {
    const arrivals = { ...NO_ARRIVALS, trend, caught_up_in_seconds: trend === 'shrinking' ? 60 : null };
    return judged(factsOf([{}], { queue: { arrivals } }), onsets, second * 1_000).headline.since.slice(17, 19);
  };
  expect([since('none', 0), since('growing', 1), since('shrinking', 2), since('shrinking', 3)]).toEqual([
    '00',
    '01',
    '01',
    '01',
  ]);
  expect(since('none', 4)).toBe('04');
});

const duty = (stops: boolean) => ({
  duty: 'retry scheduler',
  text: 'the retry scheduler has failed for more than 10 s: NOPERM',
  stops,
});

test('a duty that fails is a warning, and a reason once it stops all workers', () => {
  const failing = (stops: boolean) => ({ failing_duties: [duty(stops)] });
  const { text } = duty(true);
  for (const stops of [false, true]) {
    const facts = factsOf([failing(stops), {}]);
    expect(readinessOf(facts)).toMatchObject({ status: 200, body: { reasons: [], warnings: [`worker-1: ${text}`] } });
  }
  expect(readinessOf(factsOf([failing(true), failing(true)]))).toMatchObject({
    status: 503,
    body: { reasons: [`2 of 2 workers: ${text}`], warnings: [] },
  });
});

test('a duty of the supervisor that fails is a warning and the headline, and never a reason', () => {
  const { text } = duty(true);
  const facts = factsOf([{}], { supervisor: { failing_duties: [duty(true)] } });
  expect(readinessOf(facts)).toMatchObject({ status: 200, body: { ready: true, reasons: [], warnings: [text] } });
  expect(healthOf(facts).body.reasons).toEqual([text]);
  expect(headline(facts)).toMatchObject({ state: 'degraded', cause: 'duty', text });
});

function hung(): Partial<WorkerStatus> {
  return { state: 'degraded', consuming: false, reasons: ['sent no heartbeat for 3 s'], causes: ['hang'] };
}

function starting(): Partial<WorkerStatus> {
  return { state: 'starting', consuming: false, breaker: null };
}

test('a pause stands first while nothing stops deliveries beside it', () => {
  const facts = factsOf([{}, BACKOFF], { queue: { paused: PAUSED } });
  expect(headline(facts)).toMatchObject({ state: 'paused', cause: 'paused', further: [{ cause: 'crash' }] });
  const noneRuns = factsOf([BACKOFF, BACKOFF], { queue: { paused: PAUSED } });
  expect(headline(noneRuns)).toMatchObject({ state: 'stopped', cause: 'crash' });
});

test('nobody waits for a metrics port that is taken', () => {
  const port = { state: 'degraded', reasons: ['metrics port 9100 is taken'], causes: ['port'] } as const;
  const { reasons, warnings } = readinessOf(factsOf([{ ...port, consuming: false }])).body;
  expect(warnings).toEqual([expect.stringContaining('metrics port 9100 is taken')]);
  expect(reasons).toEqual([expect.stringMatching(/^no worker takes messages/)]);
});
