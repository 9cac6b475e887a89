import type { ClientAttempts, FailingFacts } from '../../domain/failures/failing-clients.js';

/** Bounds what another program on the channel could make of it. */
const MOST_CLIENTS = 10;

/** undefined = not what a worker says. */
export function readFailing(value: unknown): FailingFacts | undefined {
  const { failed, delivered, clients } = (value ?? {}) as Partial<Record<keyof FailingFacts, unknown>>;
  if (!isCount(failed) || !isCount(delivered) || !Array.isArray(clients)) return undefined;
  return { failed, delivered, clients: clients.filter(isClient).slice(0, MOST_CLIENTS) };
}

function isClient(value: unknown): value is ClientAttempts {
  const { client, answer, failed, delivered, since } = (value ?? {}) as Partial<Record<keyof ClientAttempts, unknown>>;
  const isNamed = client === undefined || typeof client === 'string';
  return isNamed && typeof answer === 'string' && [failed, delivered, since].every(isCount);
}

/** A number that is counted or measured, from 0 on. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
