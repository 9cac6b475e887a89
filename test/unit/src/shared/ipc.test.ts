import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readToChild, readToPrimary, type Beat } from '../../../../src/shared/ipc.js';

const beat: Beat = {
  state: 'ready',
  reasons: [],
  consuming: true,
  inFlight: 1,
  processed: 2,
  delivered: 2,
  failed: 0,
  retried: 0,
  eventLoopLagSeconds: 0.02,
  redisUp: true,
  breaker: 'closed',
  certificates: [{ file: 'certs/worker.crt', notAfter: 1_700_000_000_000 }],
  traffic: undefined,
};

describe('messages between primary and child', () => {
  test.each([
    { type: 'activate' },
    { type: 'quiet' },
    { type: 'kill' },
    { type: 'drain', deadlineMs: 25_000 },
    { type: 'collect-metrics', request: 3 },
    { type: 'configure', config: {}, identity: { workerId: 'w', metricsPort: 9100, nonce: 'n' } },
  ])('the child takes $type', (message) => {
    expect(readToChild(message)).toEqual(message);
  });

  test.each([
    { type: 'hello' },
    { type: 'booted', redisReached: true },
    { type: 'boot-failed', code: 'E_CONFIG', message: 'why' },
    { type: 'beat', beat },
    { type: 'quieted' },
    { type: 'consumer', consumer: 'w@h/0.1.n' },
    { type: 'metrics', request: 3, metrics: [] },
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
    { type: 'beat', beat: { ...beat, processed: null } },
    { type: 'configure', config: {}, identity: { workerId: 'w' } },
  ])('malformed %j is ignored', (message) => {
    expect(readToChild(message)).toBeUndefined();
    expect(readToPrimary(message)).toBeUndefined();
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
