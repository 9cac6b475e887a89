import { concernsOf } from '../judgement/concerns.js';
import type { ReadinessDocument, StatusFacts } from '../status-document.js';

/** 200 only while somebody consumes, Redis answers and the breaker is not open everywhere. */
export function readinessOf(status: StatusFacts): { readonly status: number; readonly body: ReadinessDocument } {
  const concerns = concernsOf(status);
  const reasons = concerns.filter(({ level }) => level === 'stops').map(({ text }) => text);
  const warnings = concerns.filter(({ level }) => level !== 'stops').map(({ text }) => text);
  const ready = reasons.length === 0;
  return { status: ready ? 200 : 503, body: { ready, reasons, warnings, paused: status.queue.paused } };
}
