/**
 * What is kept of a failed attempt, with the message until it is delivered: one JSON object a line, the newest last.
 *
 *   {"at":"2025-01-15T10:30:45.123Z","reason":"http_503","status":503,"worker_id":"worker-1","answer":"no capacity"}
 *
 * The scripts of Redis cut these texts without reading them: a line has no line end in it, its time stands at a fixed place
 * (failures/sweep.lua), and its answer is what it ends with (parts/failures.lua).
 */
import { printable } from '../../shared/words/escape.js';

const ANSWER_LENGTH = 200;

export interface FailedAttempt {
  /** ISO 8601 with milliseconds and `Z`, on the worker's clock. */
  readonly at: string;
  /** One of FAILURE_REASONS, unless someone else wrote it. */
  readonly reason: string;
  /** Undefined = there was no answer. */
  readonly status: number | undefined;
  /** The first 200 characters of it, without any that do not print. Undefined = none was kept. */
  readonly answer: string | undefined;
  readonly workerId: string;
}

interface Failure {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly reason: string;
  readonly status: number | undefined;
  /** As it came; undefined = it is not to be kept. */
  readonly answer: string | undefined;
  readonly workerId: string;
}

export function failureLine({ at, reason, status, answer, workerId }: Failure): string {
  const line = {
    at: new Date(at).toISOString(),
    reason,
    ...(status === undefined ? {} : { status }),
    worker_id: workerId,
  };
  const isAnswered = status !== undefined && answer !== undefined && answer !== '';
  return JSON.stringify(isAnswered ? { ...line, answer: printable(answer, ANSWER_LENGTH) } : line);
}

/** The oldest first. A line that no worker wrote is left out. */
export function readFailureLines(lines: string): readonly FailedAttempt[] {
  return lines.split('\n').flatMap((line) => readFailure(parsed(line)) ?? []);
}

/** As they stand in a dead letter. */
export function readFailureList(list: unknown): readonly FailedAttempt[] {
  return Array.isArray(list) ? list.flatMap((entry: unknown) => readFailure(entry) ?? []) : [];
}

function readFailure(value: unknown): FailedAttempt | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { at, reason, status, answer, worker_id: workerId } = value as Readonly<Record<string, unknown>>;
  if (typeof at !== 'string' || typeof reason !== 'string') return undefined;
  return {
    at,
    reason,
    status: typeof status === 'number' ? status : undefined,
    answer: typeof answer === 'string' ? answer : undefined,
    workerId: typeof workerId === 'string' ? workerId : '',
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
