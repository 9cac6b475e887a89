import { reasonOf } from '../../src/shared/errors.js';
import { flag, readFields, wholeNumber } from './fields.js';
import { RequestError, type Route } from './route.js';
import type { StatusDocument } from '../status/status-document.js';
import type { ReloadResult } from '../rollout/reload.js';

/** What can be done to the supervisor from outside. */
export interface Control {
  readonly status: () => StatusDocument;
  readonly reload: () => Promise<ReloadResult>;
  /** Why not, if not. */
  readonly scale: (workers: number) => string | undefined;
  /** undefined = there is no such worker. */
  readonly restart: (workerId: string) => Promise<void> | undefined;
  /** `now`: hand back what is in flight in place of waiting for it. */
  readonly stop: (now: boolean) => void;
}

export interface ReplacedWorker {
  readonly id: string;
  readonly pid: number | null;
  readonly state: string;
  /** It has another process than before. */
  readonly replaced: boolean;
}

/** As WORKER_COUNT. */
const MOST_WORKERS = 512;

export function controlRoutes(control: Control): readonly Route[] {
  return [
    { method: 'POST', path: '/reload', access: 'admin', answer: ({ body }) => reload(control, body) },
    { method: 'POST', path: '/scale', access: 'admin', answer: ({ body }) => scale(control, body) },
    {
      method: 'POST',
      path: '/workers/:id/restart',
      access: 'admin',
      answer: ({ params, body }) => restart(control, params['id'] ?? '', body),
    },
    { method: 'POST', path: '/stop', access: 'admin', answer: ({ body }) => stop(control, body) },
  ];
}

/** Those asked for at the same time are one reload, and all get its result. */
async function reload({ status, reload: run }: Control, body: Readonly<Record<string, unknown>>) {
  readFields<object>(body, {});
  const before = status();
  const { at, ok, reason } = await run();
  const workers = status().workers.map(({ id, pid, state }): ReplacedWorker => ({
    id,
    pid,
    state,
    replaced: pid !== null && !before.workers.some((worker) => worker.pid === pid),
  }));
  return { status: ok ? 200 : 500, body: { ok, at, reason: reason ?? null, error: reason, workers } };
}

function scale({ status, scale: run }: Control, body: Readonly<Record<string, unknown>>) {
  const { workers } = readFields<{ workers: number }>(body, { workers: wholeNumber(1, MOST_WORKERS) });
  if (workers === undefined) {
    throw new RequestError(400, `workers is missing; it must be a whole number from 1 to ${MOST_WORKERS}.`);
  }
  const before = status().supervisor.workers_wanted;
  const problem = run(workers);
  if (problem !== undefined) throw new RequestError(409, problem);
  return { status: 200, body: { workers_before: before, workers_wanted: workers } };
}

async function restart({ status, restart: run }: Control, id: string, body: Readonly<Record<string, unknown>>) {
  readFields<object>(body, {});
  const running = run(id);
  if (running === undefined) {
    const known = status().workers.map((worker) => worker.id);
    throw new RequestError(404, `There is no worker of that name; there are ${known.join(', ')}.`);
  }
  try {
    await running;
  } catch (error) {
    throw new RequestError(500, reasonOf(error));
  }
  const pid = status().workers.find((worker) => worker.id === id)?.pid ?? null;
  return { status: 200, body: { id, pid } };
}

function stop({ status, stop: run }: Control, body: Readonly<Record<string, unknown>>) {
  const { now = false } = readFields<{ now: boolean }>(body, { now: flag });
  const { pid } = status().supervisor;
  run(now);
  return { status: 202, body: { stopping: true, pid } };
}
