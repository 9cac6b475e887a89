/** What single workers say that is neither of Redis nor of the main server: a sentence for all that say the same. */
import type { Advice, Cause, Concern, StatusFacts, WorkerStatus } from '../status-document.js';
import { subjectOf } from './who.js';

/** Told of by others: redis-concerns.ts, main-server-concerns.ts. */
const ELSEWHERE: ReadonlySet<Cause> = new Set(['redis', 'main_server', 'no_route']);
/** What is held by these is told of elsewhere, or is as it should be. */
const SILENT: ReadonlySet<WorkerStatus['held_by']> = new Set(['rate', 'retry_after']);

const ADVICE: Partial<Record<Cause, Advice>> = {
  hang: {
    text: 'It is killed after 10 s and replaced. Look whether the host is out of breath; else report it with the log.',
    command: null,
  },
  crash: { text: 'It is started again. To see why it ended:', command: 'tail -n 50 logs/worker.log' },
  stuck: {
    text: 'Look whether the main server answers, and what the log says.',
    command: 'message-broker-worker check',
  },
  port: {
    text: 'It delivers all the same. Choose another WORKER_METRICS_PORT, or stop what has it.',
    command: 'ss -ltnp',
  },
  duty: { text: 'Mend what it names; deliveries go on.', command: 'message-broker-worker check' },
};

interface Said {
  readonly id: string;
  readonly cause: Cause;
  readonly text: string;
}

export function workerConcerns(status: StatusFacts): Concern[] {
  const { workers } = status;
  const total = workers.length;
  const level = workers.some(({ consuming }) => consuming) ? 'wrong' : 'stops';
  return [
    ...grouped(workers.filter(isTroubled).flatMap(saidBy), total, level),
    ...dutyConcerns(workers),
    ...grouped(workers.filter((worker) => isHeld(worker, status)).flatMap(saidBy), total, 'note'),
  ];
}

/** A start after a crash is trouble until it succeeds; the first one is not. */
function isTroubled({ state, reasons }: WorkerStatus): boolean {
  return state === 'degraded' || state === 'backoff' || (state === 'starting' && reasons.length > 0);
}

/** A pause that we see ourselves is said once for all. */
function isHeld({ state, held_by: by }: WorkerStatus, { queue }: StatusFacts): boolean {
  return state === 'ready' && by !== null && !SILENT.has(by) && !(by === 'paused' && queue.paused !== null);
}

function saidBy({ id, reasons, causes }: WorkerStatus): Said[] {
  return reasons.flatMap((text, at) => {
    const cause = causes[at] ?? 'other';
    return ELSEWHERE.has(cause) ? [] : [{ id, cause, text }];
  });
}

function grouped(said: readonly Said[], total: number, level: Concern['level']): Concern[] {
  const groups = new Map<string, Said[]>();
  for (const each of said) {
    // each has another port
    const key = each.cause === 'port' ? each.cause : each.text;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const ids = group.map(({ id }) => id);
    const { cause } = first;
    const text = sentence(first, subjectOf(ids, total));
    // nobody waits for a metrics port
    const its = cause === 'port' && level === 'stops' ? 'wrong' : level;
    return [{ cause, text, level: its, workers: ids, next_look_seconds: null, advice: ADVICE[cause] ?? null }];
  });
}

function sentence({ cause, text }: Said, { who, isPlural }: ReturnType<typeof subjectOf>): string {
  if (cause === 'hang') return `${who} ${isPlural ? 'have' : 'has'} ${text}`;
  if (cause === 'crash') return `${who} ${isPlural ? 'are' : 'is'} started again: ${text}`;
  if (cause === 'held') return `${who} ${isPlural ? 'claim' : 'claims'} nothing: ${text}`;
  if (cause === 'port' && isPlural) return `${who} are degraded: their metrics ports are taken`;
  return `${who} ${isPlural ? 'are' : 'is'} degraded: ${text}`;
}

function dutyConcerns(workers: StatusFacts['workers']): Concern[] {
  const beating = workers.filter(({ breaker }) => breaker !== null);
  // one that works does the same for all
  const allStop =
    beating.length > 0 && beating.every(({ failing_duties: duties }) => duties.some(({ stops }) => stops));
  const failing = beating.flatMap(({ id, failing_duties: duties }) => duties.map((duty) => ({ id, ...duty })));
  return [...new Set(failing.map(({ text }) => text))].map((text) => {
    const said = failing.filter((duty) => duty.text === text);
    const ids = said.map(({ id }) => id);
    return {
      cause: 'duty',
      text: `${subjectOf(ids, workers.length).who}: ${text}`,
      level: allStop && said.some(({ stops }) => stops) ? 'stops' : 'wrong',
      workers: ids,
      next_look_seconds: null,
      advice: ADVICE.duty ?? null,
    };
  });
}
