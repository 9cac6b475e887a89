import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readToChild, readToPrimary, type Beat } from '../../../../src/shared/ipc.js';
import { testConfig } from '../../../support/program/config.js';

const beat: Beat = {
  state: 'ready',
  reasons: ['the main server answers 503 and is given a rest; claiming is paused'],
  causes: ['main_server'],
  consuming: true,
  inFlight: 1,
  eventLoopLagSeconds: 0.02,
  redisUp: true,
  breaker: 'open',
  breakerReason: 'http_503',
  nextLookMs: 4_200,
  troubles: [
    { duty: 'retry scheduler', text: 'the retry scheduler has failed for more than 10 s: NOPERM', stops: false },
  ],
  certificates: [{ file: 'certs/worker.crt', notAfter: 1_700_000_000_000 }],
};

const metric = { name: 'a_total', help: 'h', type: 'counter', values: [{ labels: { worker_id: 'w' }, value: 7 }] };
const failure = { reason: 'timeout', at: 1, error: 'Connection timeout', messageId: 'm' };

describe('messages between primary and child', () => {
  test.each([
    { type: 'activate' },
    { type: 'quiet' },
    { type: 'kill' },
    { type: 'drain', deadlineMs: 25_000 },
    { type: 'collect-gauges', request: 3 },
    { type: 'collect-claims', request: 4 },
    { type: 'configure', config: testConfig(), identity: { workerId: 'w', metricsPort: 9100, nonce: 'n' } },
  ])('the child takes $type', (message) => {
    expect(readToChild(message)).toEqual(message);
  });

  test.each([
    { type: 'hello' },
    { type: 'booted', redisReached: true },
    { type: 'booted', redisReached: true, hasRoute: false },
    { type: 'boot-failed', code: 'E_CONFIG', message: 'why' },
    { type: 'beat', beat },
    { type: 'quieted' },
    { type: 'consumer', consumer: 'w@h/0.1.n' },
    { type: 'counts', counts: { metrics: [metric], failures: [failure] } },
    { type: 'gauges', request: 3, gauges: [{ ...metric, type: 'gauge' }] },
    { type: 'claims', request: 4, claims: { begun: ['a'], held: ['b', 'b'] } },
  ])('the primary takes $type', (message) => {
    expect(readToPrimary(message)).toEqual(message);
  });

  test.each([
    null,
    undefined,
    'activate',
    [],
    { type: 'drain' },
    { type: 'drain', deadlineMs: -1 },
    { type: 'drain', deadlineMs: 'soon' },
    { type: 'beat', beat: { ...beat, state: 'happy' } },
    { type: 'beat', beat: { ...beat, inFlight: null } },
    { type: 'counts', counts: { metrics: [metric] } },
    { type: 'gauges', gauges: [] },
    { type: 'claims', request: 4, claims: { begun: ['a'], held: [7] } },
    { type: 'configure', config: testConfig(), identity: { workerId: 'w' } },
    { type: 'configure', config: { redis: {} }, identity: { workerId: 'w', metricsPort: 9100, nonce: 'n' } },
  ])('malformed %j is ignored', (message) => {
    expect(readToChild(message)).toBeUndefined();
    expect(readToPrimary(message)).toBeUndefined();
  });

  test('of the metrics in a message those that cannot be counted are left out', () => {
    const counts = {
      metrics: [metric, { ...metric, type: 'gauge' }, null, { ...metric, values: [{ value: -1, labels: {} }] }],
    };
    expect(
      readToPrimary({ type: 'counts', counts: { ...counts, failures: [failure, { reason: 'timeout' }] } }),
    ).toEqual({
      type: 'counts',
      counts: { metrics: [metric], failures: [failure] },
    });
    // NaN has become null on its way
    const gauge = { ...metric, type: 'gauge', values: [{ labels: {}, value: null }, ...metric.values] };
    expect(readToPrimary({ type: 'gauges', request: 1, gauges: [gauge, { ...metric, help: 1 }] })).toEqual({
      type: 'gauges',
      request: 1,
      gauges: [{ ...metric, type: 'gauge' }],
    });
  });

  test('nothing that JSON can hold makes them throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        readToChild(value);
        readToPrimary(value);
      }),
    );
  });
});
