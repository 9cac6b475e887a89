import { expect, test } from 'vitest';
import { completed } from '../../../../../supervisor/status/documents/earlier-status.js';
import { readinessOf } from '../../../../../supervisor/status/documents/readiness.js';
import { statusText } from '../../../../../supervisor/commands/status/overview.js';
import type { StatusDocument } from '../../../../../supervisor/status/status-document.js';
import { factsOf } from '../judgement/facts.js';

/** What version 1.0.0 has no word for. */
const LATER = new Set([
  ...[
    'headline',
    'fleet',
    'failing',
    'paused',
    'arrivals',
    'retry_due_in_seconds',
    'oldest_retry_overdue_seconds',
    'failing_duties',
    'causes',
  ],
  ...['breaker_reason', 'next_look_seconds', 'held_by', 'concurrency_limit', 'limited_by'],
]);

test('what a supervisor of version 1.0.0 answers can be shown and judged, and says no more than it knows', () => {
  const facts = factsOf([{}, { state: 'degraded', consuming: false, reasons: ['no Redis'] }]);
  const text = JSON.stringify(facts, (key, value: unknown) => (LATER.has(key) ? undefined : value));
  const status = completed(JSON.parse(text) as StatusDocument);
  const shown = statusText(status).join('\n');
  expect(shown).toMatch(/^UNKNOWN /);
  expect(shown).toContain('arriving unknown');
  expect(shown).not.toMatch(/undefined|NaN/);
  expect(readinessOf(status).body.warnings).toEqual([expect.stringContaining('no Redis')]);
});
