import type { Concern, StatusFacts } from '../status-document.js';

const RELOAD_AGAIN = { text: 'Mend what it names, then reload again.', command: 'message-broker-worker reload' };
const SEE_LOG = { text: 'Its log says more.', command: 'tail -n 50 logs/worker.log' };

const MEND_DUTY = { text: 'Mend what it names; deliveries go on.', command: 'message-broker-worker check' };

/** What the supervisor itself says. */
export function supervisorConcerns({ supervisor }: StatusFacts): Concern[] {
  const { state, reasons, last_reload: reload, failing_duties: failing } = supervisor;
  const failure = reload?.ok === false ? reloadFailure(reload.reason) : undefined;
  const own = { level: 'wrong', workers: [], next_look_seconds: null } as const;
  const said = reasons.map((text): Concern => {
    if (text === failure) return { ...own, cause: 'reload', text, advice: RELOAD_AGAIN };
    return { ...own, cause: 'supervisor', text, advice: SEE_LOG };
  });
  const duties = failing.map(({ text }): Concern => ({ ...own, cause: 'duty', text, advice: MEND_DUTY }));
  const all = [...said, ...duties];
  if (state !== 'stopping') return all;
  return [{ ...own, cause: 'stopping', level: 'stops', text: 'the supervisor is stopping', advice: null }, ...all];
}

export function reloadFailure(reason: string | null): string {
  return `the last reload failed: ${reason ?? 'it did not say why'}`;
}
