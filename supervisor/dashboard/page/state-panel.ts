/** The first thing that is seen: whether messages flow, why not, and what to type. */
import type { Flow, NextStep, StatusEvent } from '../../status/status-events.js';
import { byId, fillList, make, setAttribute, setText } from './elements.js';
import { printable } from './shared/escape.js';
import * as format from './format.js';

const WORDS: Readonly<Record<Flow, string>> = { flowing: 'Flowing', degraded: 'Degraded', stopped: 'Stopped' };
const REASON_LENGTH = 400;
/** Of 500 workers that say the same, the first few tell it; each row has its own. */
const MOST_REASONS = 8;

export function showState({ verdict, status }: StatusEvent): void {
  const { supervisor, workers, queue } = status;
  const taking = workers.filter(({ consuming }) => consuming).length;
  const who = `${taking} of ${supervisor.workers_wanted} ${supervisor.workers_wanted === 1 ? 'worker takes' : 'workers take'} messages`;
  const doing = supervisor.state === 'running' ? '' : `; the supervisor is ${supervisor.state}`;
  const word = queue.paused !== null && verdict.state !== 'stopped' ? 'Paused' : WORDS[verdict.state];
  showPause(queue.paused);
  show(verdict.state, word, `${who}${doing}.`, verdict.reasons);
  showSteps(verdict.next_steps);
  setText(
    byId('instance'),
    `${location.host} · queue ${printable(queue.name, 80)} · version ${supervisor.version} · pid ${supervisor.pid} · up ${format.longDuration(Math.floor(supervisor.uptime_seconds))}`,
  );
}

/** A pause is somebody's wish, and is forgotten easily: it stands above everything else. */
function showPause(paused: StatusEvent['status']['queue']['paused']): void {
  const banner = byId('pause');
  banner.hidden = paused === null;
  if (!paused) return;
  const { who, where, why, until } = paused;
  const by = [who === '' ? 'unknown' : who, ...(where === '' ? [] : [`on ${where}`])].join(' ');
  const end = until === null ? 'until somebody ends it' : `until ${new Date(until).toLocaleString()}`;
  setText(
    banner,
    printable(`All deliveries are paused by ${by}, ${end}${why === '' ? '.' : `: ${why}`}`, REASON_LENGTH),
  );
}

export function showLost(last: { readonly event: StatusEvent; readonly receivedAt: number } | undefined): void {
  const seen = last
    ? `Everything below is from ${format.clockTime(last.receivedAt)}, when the state was ${last.event.verdict.state}.`
    : 'Nothing has been received yet.';
  show('lost', 'Disconnected', 'This page cannot reach the supervisor and goes on trying.', [seen]);
  showSteps([{ what: 'see whether it runs', type: 'message-broker-worker status' }]);
}

function show(flow: Flow | 'lost', word: string, summary: string, reasons: readonly string[]): void {
  setAttribute(document.body, 'data-flow', flow);
  const icon = `icons/icon-${flow === 'lost' ? 'unknown' : flow}.svg`;
  setAttribute(byId('icon'), 'href', new URL(icon, import.meta.url).href);
  setText(byId('state'), word);
  setText(byId('summary'), summary);
  fillList(
    byId('reasons'),
    shortened(reasons),
    () => make('li'),
    (item, reason) => setText(item, printable(reason, REASON_LENGTH)),
  );
  document.title = `${word} – Message Broker Worker`;
}

function shortened(reasons: readonly string[]): readonly string[] {
  const more = reasons.length - MOST_REASONS;
  return more > 1 ? [...reasons.slice(0, MOST_REASONS), `and ${more} more`] : reasons;
}

function showSteps(steps: readonly NextStep[]): void {
  fillList(
    byId('steps'),
    steps,
    () => make('li', {}, make('span'), make('code', { tabindex: '0' })),
    (item, { what, type }) => {
      const [text, code] = item.children;
      if (text) setText(text, `To ${what}: `);
      if (code) setText(code, type);
    },
  );
}
