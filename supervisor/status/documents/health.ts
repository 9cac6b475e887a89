import { concernsOf } from '../judgement/concerns.js';
import type { HealthDocument, StatusFacts } from '../status-document.js';

/** 503 when no worker process is at work and none is on its way, or we are stopping: a restart of us may help. */
export function healthOf(status: StatusFacts): { readonly status: number; readonly body: HealthDocument } {
  const { pid, state, uptime_seconds } = status.supervisor;
  const alive = status.workers.some(({ state: worker }) => worker !== 'backoff' && worker !== 'draining');
  const failing = state === 'stopping' || (!alive && status.workers.length > 0);
  const reasons = concernsOf(status)
    .filter(isTrouble)
    .map(({ text }) => text);
  return {
    status: failing ? 503 : 200,
    body: {
      status: failing ? 'unhealthy' : reasons.length > 0 ? 'degraded' : 'healthy',
      supervisor: { pid, state, uptime_seconds },
      workers: status.workers.map((worker) => {
        const { id, pid: itsPid, state: itsState, reasons: why } = worker;
        return { id, pid: itsPid, state: itsState, reasons: why };
      }),
      reasons,
    },
  };
}

/** A first start, a stop that was asked for and a worker that is held are as they should be. */
function isTrouble({ cause, level }: ReturnType<typeof concernsOf>[number]): boolean {
  return level !== 'note' && cause !== 'starting' && cause !== 'stopping';
}
