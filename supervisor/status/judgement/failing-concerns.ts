import { BURIAL_REASONS } from '../../../src/domain/dead-letters/reasons.js';
import type { Concern, StatusFacts } from '../status-document.js';

/** Fewer failures prove nothing: a single bad message fails again and again. */
const LEAST_FAILED = 10;
const BURIALS: ReadonlySet<string> = new Set(BURIAL_REASONS);

/**
 * Every worker may be ready and take messages while a main server that answers has something against all of them: no
 * breaker opens for a 500. Half of the attempts of the last half minute is more than single messages can spoil.
 */
export function failingConcerns({ traffic, errors }: Pick<StatusFacts, 'traffic' | 'errors'>): Concern[] {
  const { delivered, failed, window_seconds: seconds } = traffic;
  if (failed < LEAST_FAILED || failed < delivered) return [];
  const error = errors.find(({ reason }) => !BURIALS.has(reason));
  const latest = error ? `; the latest: ${error.last_error}` : '';
  return [
    {
      cause: 'failing',
      text: `${failed} of ${delivered + failed} attempts of the last ${seconds} s failed${latest}`,
      level: 'wrong',
      workers: [],
      next_look_seconds: null,
      advice: {
        text: 'Each is tried again after WORKER_RETRY_INTERVAL. To see whom it hits and what the main server answers:',
        command: 'message-broker-worker failures --by client',
      },
    },
  ];
}
