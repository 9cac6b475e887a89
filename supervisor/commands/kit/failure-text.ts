import { printable } from '../../../src/shared/words/escape.js';
import type { FailureDocument } from '../../admin/protocol.js';

/** `2025-01-15T10:30:45.123Z  http_503 (503) on worker-1: no capacity`. */
export function failureText({ at, reason, status, answer, worker_id: workerId }: FailureDocument): string {
  const answered = status === null ? '' : ` (${status})`;
  const text = `${at}  ${reason}${answered} on ${workerId}${answer === null ? '' : `: ${answer}`}`;
  return printable(text, Infinity);
}
