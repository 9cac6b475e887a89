import type { Operator } from '../../../src/domain/audit/deed.js';
import { MOST_WORKERS } from '../../../src/shared/config/settings/process-settings.js';
import { reasonOf } from '../../../src/shared/errors.js';
import type { ReloadResult } from '../../rollout/reload.js';
import { StoppingError } from '../../rollout/stopping-error.js';
import type { StatusDocument } from '../../status/status-document.js';
import { flag, readFields, wholeNumber } from '../fields.js';
import type { Answers, ReloadAnswer, Requests } from '../protocol.js';
import { RequestError, route, type AdminRequest, type Answer, type Route } from '../route.js';

/** What can be done to the supervisor from outside. */
interface Control {
  readonly status: () => StatusDocument;
  readonly reload: (by: Operator) => Promise<ReloadResult>;
  /** Why not, if not. */
  readonly scale: (workers: number, by: Operator) => string | undefined;
  /** undefined = there is no such worker. */
  readonly restart: (workerId: string, by: Operator) => Promise<void> | undefined;
  /** `now`: hand back what is in flight in place of waiting for it. */
  readonly stop: (now: boolean, by: Operator) => void;
}

export function controlRoutes(control: Control): readonly Route[] {
  return [
    route('reload', (request) => reload(control, request)),
    route('scale', (request) => scale(control, request)),
    route('restart', (request) => restart(control, request)),
    route('stop', (request) => stop(control, request)),
  ];
}

/** Those asked for at the same time are one reload, and all get its result. */
async function reload(control: Control, { fields, by }: AdminRequest): Promise<Answer<ReloadAnswer>> {
  readFields<object>(fields, {});
  const { supervisor, workers: old } = control.status();
  const before = new Set(old.map(({ pid }) => pid));
  const { at, ok, reason, remarks } = await control.reload(by).catch(refuseWhileStopping);
  const workers = control.status().workers.map(({ id, pid, state }) => ({
    id,
    pid,
    state,
    replaced: pid !== null && !before.has(pid),
  }));
  const number = {
    workers_before: supervisor.workers_wanted,
    workers_wanted: control.status().supervisor.workers_wanted,
  };
  const error = reason === undefined ? {} : { error: reason };
  return { status: ok ? 200 : 500, body: { ok, at, reason: reason ?? null, ...error, workers, ...number, remarks } };
}

function scale(control: Control, { fields, by }: AdminRequest): Answer<Answers['scale']> {
  const { workers } = readFields<Requests['scale']>(fields, { workers: wholeNumber(1, MOST_WORKERS) });
  if (workers === undefined) {
    throw new RequestError(400, `workers is missing; it must be a whole number from 1 to ${MOST_WORKERS}.`);
  }
  const before = control.status().supervisor.workers_wanted;
  const problem = control.scale(workers, by);
  if (problem !== undefined) throw new RequestError(409, problem);
  return { status: 200, body: { workers_before: before, workers_wanted: workers } };
}

async function restart(
  control: Control,
  { params: { id }, fields, by }: AdminRequest<'id'>,
): Promise<Answer<Answers['restart']>> {
  readFields<object>(fields, {});
  const running = control.restart(id, by);
  if (running === undefined) {
    const known = control.status().workers.map((worker) => worker.id);
    throw new RequestError(404, `There is no worker of that name; there are ${known.join(', ')}.`);
  }
  await running.catch(refuseWhileStopping).catch((error: unknown) => {
    throw error instanceof RequestError ? error : new RequestError(500, reasonOf(error));
  });
  const pid = control.status().workers.find((worker) => worker.id === id)?.pid ?? null;
  return { status: 200, body: { id, pid } };
}

function stop(control: Control, { fields, by }: AdminRequest): Answer<Answers['stop']> {
  const { now = false } = readFields<Requests['stop']>(fields, { now: flag });
  const { pid } = control.status().supervisor;
  control.stop(now, by);
  return { status: 202, body: { stopping: true, pid } };
}

/** @throws RequestError 409 for it, and everything else as it is. */
function refuseWhileStopping(error: unknown): never {
  throw error instanceof StoppingError ? new RequestError(409, error.message) : error;
}
