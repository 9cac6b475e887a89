/**
 * The status as lines that fit, pure: for `status` and each frame of `status --watch`. In the order of the questions: is
 * something wrong, why, what to do first; what waits, is retried, has died; do we keep up; which worker; what failed last.
 */
import type { StatusDocument } from '../../status/status-document.js';
import { sparkline, type Course } from './course.js';
import { cutText, line, painted, type Line } from './drawing/line.js';
import { flowing } from './drawing/wrap.js';
import { failuresTable } from './failures-table.js';
import { headLines, identity } from './head.js';
import { places, rates } from './numbers.js';
import { situationOf } from './situation.js';
import { workersTable } from './workers-table.js';

export interface Room {
  readonly columns: number;
  readonly rows: number;
}

interface Moment {
  /** ms since the Unix epoch. */
  readonly now: number;
  /** Of a watch. */
  readonly course?: Course;
}

/** Where nobody looks at a screen: nothing is left out, and no line broken. */
export const EVERYTHING: Room = { columns: Infinity, rows: Infinity };
/** What waits and how fast it goes over the last looks gets more lines on a screen that is so high. */
const HIGH = 40;
const LABEL = 10;
const FEWEST_BARS = 10;

export function statusText(status: StatusDocument, now = 0): string[] {
  return overview(status, EVERYTHING, { now }).map((whole) => painted(whole, false));
}

export function overview(status: StatusDocument, { columns, rows }: Room, { now, course }: Moment): Line[] {
  const situation = situationOf(status, now);
  const above = [
    ...headLines(situation, { columns, rows: Math.max(2, Math.floor(rows / 3)) }),
    ...flowing(identity(status), columns).map(faint),
    [],
    ...flowing(places(status), columns),
    ...flowing(rates(status), columns),
    ...(course ? bars(course, columns, rows) : []),
    [],
  ];
  const left = Math.max(2, rows - above.length);
  const failures = status.errors.length === 0 ? [] : failuresTable(status.errors, columns, now);
  // the workers have the first right, and a few lines of what failed last are worth more than the last of them
  const forFailures = left < 14 ? 0 : Math.min(failures.length, Math.floor(left / 3));
  const workers = workersTable(status.workers, { columns, rows: left - (forFailures === 0 ? 0 : forFailures + 1) });
  const below = Math.max(0, left - workers.length - 1);
  const shownFailures = failures.slice(0, below < 2 ? 0 : below);
  return [...above, ...workers, ...(shownFailures.length === 0 ? [] : [[], ...shownFailures])].slice(0, rows);
}

function faint(whole: Line): Line {
  return whole.map(({ text }) => ({ text, tone: 'faint' }));
}

function bars(course: Course, columns: number, rows: number): Line[] {
  const shown = rows < HIGH ? (['delivered'] as const) : (['delivered', 'failed', 'waiting'] as const);
  return shown.map((what) => {
    const room = Math.max(FEWEST_BARS, columns - LABEL - 28);
    const values = course.of(what).slice(-room);
    const unit = what === 'waiting' ? '' : '/s';
    const most = Math.max(0, ...values);
    const highest = what === 'waiting' ? String(most) : most.toFixed(1);
    const said = values.length === 0 ? '' : `  ${highest}${unit} at most in ${values.length} s`;
    return line({ text: what.padEnd(LABEL), tone: 'faint' }, sparkline(values), {
      text: cutText(said, columns),
      tone: 'faint',
    });
  });
}
