/** The last lines of the screen: the keys, a question, or how a deed went. Pure. */
import { line, type Line } from '../drawing/line.js';
import { wrapped } from '../drawing/wrap.js';
import type { Controls, Deed } from './controls.js';

const QUESTIONS: Readonly<Record<Deed, string>> = {
  pause: 'Begin no delivery any more, on all hosts, until somebody resumes? [y/N]',
  resume: 'Have deliveries go on, on all hosts? [y/N]',
  reload: 'Read the configuration again and replace the workers one by one? [y/N]',
};
const DOING: Readonly<Record<Deed, string>> = {
  pause: 'Pausing: waiting until every worker has confirmed it …',
  resume: 'Resuming …',
  reload: 'Reloading: one worker after the other; that goes on if you leave …',
};
const MOST_SAID = 3;

interface Surroundings {
  readonly columns: number;
  readonly hasKeys: boolean;
  readonly isPaused: boolean;
}

export function footer({ view, asking, doing, said }: Controls, { columns, hasKeys, isPaused }: Surroundings): Line[] {
  if (!hasKeys) return [line({ text: 'Ctrl-C to end', tone: 'faint' })];
  if (asking !== undefined) return wrapped(QUESTIONS[asking], columns).map((text) => line({ text, tone: 'warning' }));
  const now = doing === undefined ? [] : [line({ text: DOING[doing], tone: 'strong' })];
  const went = said === undefined ? [] : wrapped(said.text, columns, MOST_SAID);
  return [
    ...went.map((text) => line({ text, tone: said?.isBad === true ? 'bad' : 'strong' })),
    ...now,
    keys(view, isPaused),
  ];
}

function keys(view: Controls['view'], isPaused: boolean): Line {
  const pause: readonly [string, string] = ['p', isPaused ? 'resume' : 'pause'];
  const named: readonly (readonly [string, string])[] =
    view === 'dead'
      ? [
          ['d', 'back'],
          ['n', 'next page'],
          ['q', 'quit'],
          ['?', 'help'],
        ]
      : [['q', 'quit'], pause, ['r', 'reload'], ['d', 'dead letters'], ['?', view === 'help' ? 'back' : 'help']];
  return named.flatMap(([key, what]) => line({ text: key, tone: 'strong' }, ` ${what}   `));
}
