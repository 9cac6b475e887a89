/** The first lines: the state with its cause, what to do first, and who says it. Pure. */
import { printable } from '../../../src/shared/words/escape.js';
import type { StatusDocument } from '../../status/status-document.js';
import { duration } from '../kit/duration.js';
import { line, widthOf, type Line } from './drawing/line.js';
import { wrapped } from './drawing/wrap.js';
import type { Situation } from './situation.js';

const INDENT = 2;

interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** The state with its cause, since when, and what to do first, whatever room there is; then what else is wrong. */
export function headLines(situation: Situation, { columns, rows }: Room): Line[] {
  const { times } = situation;
  const above = [
    ...title(situation, columns),
    ...(times === undefined ? [] : wrapped(times, columns - INDENT).map((part) => line(`  ${part}`))),
    ...adviceLines(situation.advice, columns),
  ];
  return [...above, ...furtherLines(situation, columns, rows - above.length)];
}

function title({ word, tone, text }: Situation, columns: number): Line[] {
  const said = wrapped(text, columns - word.length - INDENT, 3);
  return said.map((part, at) => line(at === 0 ? { text: word, tone } : ' '.repeat(word.length), `  ${part}`));
}

function adviceLines(advice: Situation['advice'], columns: number): Line[] {
  if (advice === null) return [];
  const said = wrapped(advice.text, columns - INDENT, 3);
  const above = said.map((part) => line(`  ${part}`));
  if (advice.command === null) return above;
  const typed = { text: advice.command, tone: 'strong' } as const;
  const last = said.at(-1) ?? '';
  if (INDENT + widthOf(last) + 1 + widthOf(typed.text) > columns) return [...above, line('  ', typed)];
  return [...above.slice(0, -1), line(`  ${last} `, typed)];
}

function furtherLines({ further, leftOut }: Situation, columns: number, rows: number): Line[] {
  const each = further.map((reason) => reasonLines(reason, columns));
  const all = each.flat();
  if (leftOut === 0 && all.length <= rows) return all;
  const shown: Line[] = [];
  let taken = 0;
  for (const lines of each) {
    if (shown.length + lines.length > rows - 1) break;
    shown.push(...lines);
    taken += 1;
  }
  const more = each.length - taken + leftOut;
  return rows < 1 ? [] : [...shown, ...reasonLines(`and ${more} more, in "status --json"`, columns)];
}

function reasonLines(reason: string, columns: number): Line[] {
  return wrapped(reason, columns - 2 * INDENT, 2).map((text, at) =>
    line({ text: at === 0 ? '  ! ' : '    ', tone: 'warning' }, text),
  );
}

/** Which queue, and whose word this is. */
export function identity({ queue, supervisor, workers, fleet }: StatusDocument): Line[] {
  const taking = workers.filter(({ consuming }) => consuming).length;
  return [
    line(`queue ${printable(queue.name, 100)}`),
    line(`supervisor ${supervisor.version} ${supervisor.state} for ${duration(supervisor.uptime_seconds)}`),
    line(`pid ${supervisor.pid}`),
    line(`workers ${taking}/${supervisor.workers_wanted}`),
    ...hosts(fleet),
  ];
}

/** Where this one is not all there is. */
function hosts(fleet: StatusDocument['fleet']): Line[] {
  if (fleet === null || (fleet.alive <= 1 && fleet.vanished === 0)) return [];
  const alive = `hosts ${fleet.alive} alive`;
  return [fleet.vanished === 0 ? line(alive) : line(`${alive}, ${fleet.vanished} vanished`)];
}
