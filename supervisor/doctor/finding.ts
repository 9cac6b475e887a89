export type Level = 'ok' | 'warn' | 'fail';

/** One line of the doctor. */
export interface Finding {
  readonly check: string;
  readonly level: Level;
  /** What was found, on one line. */
  readonly text: string;
  /** What to do; null when all is well. */
  readonly advice: string | null;
}

export function ok(check: string, text: string): Finding {
  return { check, level: 'ok', text, advice: null };
}

export function warn(check: string, text: string, advice: string): Finding {
  return { check, level: 'warn', text, advice };
}

export function fail(check: string, text: string, advice: string): Finding {
  return { check, level: 'fail', text, advice };
}

/** Above this, ages and waiting times that are shown or measured mislead. */
const SKEW_MS = 5_000;

/** @param skewMs its wall clock minus ours; @param doubtMs how far that may be off. */
export function clockFinding(check: string, skewMs: number, doubtMs: number): Finding {
  const seconds = (Math.abs(skewMs) / 1_000).toFixed(1);
  if (Math.abs(skewMs) <= SKEW_MS + doubtMs) return ok(check, `the clocks agree (within ${seconds} s)`);
  return warn(
    check,
    `its clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} ours`,
    'Let NTP run on both hosts; delivery goes on, but ages and waiting times are wrong.',
  );
}
