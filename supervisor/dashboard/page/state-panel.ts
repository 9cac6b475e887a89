/** The first thing that is seen: whether messages flow, why not, since when, and what to do. */
import type { Concern, Headline } from '../../status/status-document.js';
import type { StatusEvent } from '../../status/status-events.js';
import { byId, fillList, make, setAttribute, setText } from './elements.js';
import { printable } from '../../../src/shared/words/escape.js';
import * as format from './format.js';

type Shown = Headline['state'] | 'lost';

const WORDS: Readonly<Record<Shown, string>> = {
  flowing: 'Flowing',
  paused: 'Paused',
  degraded: 'Degraded',
  stopped: 'Stopped',
  lost: 'Disconnected',
};
/** Colour, shape and icon. */
const FLOW: Readonly<Record<Shown, string>> = {
  flowing: 'flowing',
  paused: 'degraded',
  degraded: 'degraded',
  stopped: 'stopped',
  lost: 'lost',
};
const REASON_LENGTH = 400;

interface Step {
  readonly text: string;
  /** To type; empty = nothing. */
  readonly command: string;
}

export function showState({ status, at }: StatusEvent): void {
  const { supervisor, workers, queue, headline } = status;
  const taking = workers.filter(({ consuming }) => consuming).length;
  const many = supervisor.workers_wanted === 1 ? 'worker takes' : 'workers take';
  const doing = supervisor.state === 'running' ? '' : `; the supervisor is ${supervisor.state}`;
  show(headline.state, printable(sentence(headline.text), REASON_LENGTH), headline.cause ?? 'flowing');
  setText(byId('since'), sinceText(headline, at));
  const summary = `${taking} of ${supervisor.workers_wanted} ${many} messages`;
  // said in the headline while all is well
  setText(byId('summary'), doing === '' && headline.text.startsWith(summary) ? '' : `${summary}${doing}.`);
  showFurther(headline);
  showSteps(stepsOf(headline, queue.dead ?? 0));
  setText(
    byId('instance'),
    `${location.host} · queue ${printable(queue.name, 80)} · version ${supervisor.version} · pid ${supervisor.pid} · up ${format.longDuration(Math.floor(supervisor.uptime_seconds))}`,
  );
}

export function showLost(last: { readonly event: StatusEvent; readonly receivedAt: number } | undefined): void {
  show('lost', 'This page cannot reach the supervisor and goes on trying.', 'lost');
  setText(byId('since'), last ? `Since ${format.clockTime(last.receivedAt)} ${format.offset(last.receivedAt)}.` : '');
  setText(
    byId('summary'),
    last
      ? `Everything below is from then, when the state was ${last.event.status.headline.state}.`
      : 'Nothing has been received yet.',
  );
  showFurther({ further: [], left_out: 0 });
  showSteps([{ text: 'To see whether it runs:', command: 'message-broker-worker status' }]);
}

/** @param subject what it is about: it is read out when this changes, and not when a number in it does. */
function show(state: Shown, text: string, subject: string): void {
  const flow = FLOW[state];
  const icon = `icons/icon-${flow === 'lost' ? 'unknown' : flow}.svg`;
  setAttribute(document.body, 'data-flow', flow);
  setAttribute(byId('icon'), 'href', new URL(icon, import.meta.url).href);
  setText(byId('state'), WORDS[state]);
  setText(byId('headline'), text);
  document.title = `${WORDS[state]} – Message Broker Worker`;
  const announced = byId('announced');
  if (announced.dataset['subject'] === `${state} ${subject}`) return;
  announced.dataset['subject'] = `${state} ${subject}`;
  setText(announced, `${WORDS[state]}. ${text}`);
}

/** `Since 10:30:45 UTC (3m 2s). Next look in 4 s.` */
function sinceText({ since, next_look_seconds: next }: Headline, now: number): string {
  const at = Date.parse(since);
  const lasted = Math.max(0, Math.floor((now - at) / 1_000));
  const day = lasted > 43_200 ? format.dateTime(since) : `${format.clockTime(at)} ${format.offset(at)}`;
  const look = next === null ? '' : ` Next look in ${Math.max(1, Math.ceil(next))} s.`;
  return `Since ${day} (${format.longDuration(lasted)}).${look}`;
}

function showFurther({ further, left_out: leftOut }: Pick<Headline, 'further' | 'left_out'>): void {
  const more = leftOut === 0 ? [] : [`And ${leftOut} more: see the workers.`];
  fillList(
    byId('further'),
    [...further.map(({ text }) => sentence(text)), ...more],
    () => make('li'),
    (item, text) => setText(item, printable(text, REASON_LENGTH)),
  );
}

/** Of each cause its own, and none twice. */
function stepsOf({ advice, further }: Headline, dead: number): Step[] {
  const all = [advice, ...further.map((concern: Concern) => concern.advice)].filter((each) => each !== null);
  const steps = all.map(({ text, command }): Step => ({ text, command: command ?? '' }));
  const letters = { text: 'To look at the dead letters:', command: 'message-broker-worker dead list' };
  const seen = new Set<string>();
  return [...steps, ...(dead > 0 ? [letters] : [])].filter(({ text, command }) => {
    const key = command || text;
    return !seen.has(key) && seen.add(key);
  });
}

function showSteps(steps: readonly Step[]): void {
  fillList(
    byId('steps'),
    steps,
    () => make('li', {}, make('span'), make('code', { tabindex: '0' })),
    (item, { text, command }) => {
      const [said, code] = item.children;
      if (said) setText(said, printable(text, REASON_LENGTH));
      if (!(code instanceof HTMLElement)) return;
      setText(code, command);
      code.hidden = command === '';
    },
  );
}

function sentence(text: string): string {
  const end = /[.!?)]$/.test(text) ? '' : '.';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}
