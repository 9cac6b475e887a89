import { BURIAL_REASONS } from '../../../src/domain/dead-letters/reasons.js';
import { printable } from '../../../src/shared/words/escape.js';
import type { Advice, Concern, FailingClient, StatusFacts } from '../status-document.js';

/** Fewer failures prove nothing: a single bad message fails again and again. */
const LEAST_FAILED = 10;
/** Where more clients fail at once, it is no longer about clients. */
const MOST_CLIENTS = 3;
const NAME_LENGTH = 64;
/** As it is typed, without quotes. */
const PLAIN_WORD = /^[\w.:@-]{1,64}$/;
const BURIALS: ReadonlySet<string> = new Set(BURIAL_REASONS);

/**
 * Every worker may be ready and take messages while a main server that answers has something against all of them, or against
 * those of one client: no breaker opens for a 500. Half of the attempts is more than single messages can spoil.
 */
export function failingConcerns(status: Pick<StatusFacts, 'traffic' | 'errors' | 'failing'>): Concern[] {
  const clients = clientsToBlame(status);
  if (clients.length > 0) return [ofClients(clients, status.failing)];
  const { traffic, errors } = status;
  const { delivered, failed, window_seconds: seconds } = traffic;
  if (failed < LEAST_FAILED || failed < delivered) return [];
  const error = errors.find(({ reason }) => !BURIALS.has(reason));
  const latest = error ? `; the latest: ${error.last_error}` : '';
  return [
    {
      ...OF_ALL,
      text: `${failed} of ${delivered + failed} attempts of the last ${seconds} s failed${latest}`,
      advice: {
        text: 'Each is tried again after WORKER_RETRY_INTERVAL. To see whom it hits and what the main server answers:',
        command: 'message-broker-worker failures --by client',
      },
    },
  ];
}

const OF_ALL = { cause: 'failing', level: 'wrong', workers: [], next_look_seconds: null } as const;

/** A few of whom most fails, while what the others send is delivered. */
function clientsToBlame({ failing }: Pick<StatusFacts, 'failing'>): readonly FailingClient[] {
  if (failing === null) return [];
  const bad = failing.clients.filter(({ failed, delivered }) => failed >= LEAST_FAILED && failed >= delivered);
  const rest = restOf(failing, bad);
  const isOfThem = bad.length <= MOST_CLIENTS && rest.delivered > 0 && rest.failed < rest.delivered;
  return isOfThem ? bad : [];
}

function restOf(
  failing: NonNullable<StatusFacts['failing']>,
  bad: readonly FailingClient[],
): { readonly failed: number; readonly delivered: number } {
  return {
    failed: failing.failed - sum(bad.map(({ failed }) => failed)),
    delivered: failing.delivered - sum(bad.map(({ delivered }) => delivered)),
  };
}

function ofClients(bad: readonly FailingClient[], failing: StatusFacts['failing']): Concern {
  const rest = failing && restOf(failing, bad);
  const others = rest?.failed === 0 ? "everybody else's are delivered" : "most of everybody else's are delivered";
  const single = bad.length === 1;
  const each = bad.map((one) => `${single ? '' : `${nameOf(one)}: `}${whatOf(one)}`).join('; ');
  const whose = single ? `messages of ${nameOf(bad[0])} fail` : `messages of ${bad.length} clients fail`;
  return { ...OF_ALL, text: `${whose}: ${each}; ${others}`, advice: adviceFor(bad) };
}

function whatOf({ answer, failed, delivered }: FailingClient): string {
  return `${printable(answer, 40)}, ${failed} of ${failed + delivered} attempts`;
}

function nameOf(client: FailingClient | undefined): string {
  const id = client?.client_id ?? null;
  return id === null ? 'no client (they have no client_id)' : `client ${printable(id, NAME_LENGTH)}`;
}

function adviceFor(bad: readonly FailingClient[]): Advice {
  const [id] = bad.map(({ client_id: each }) => each);
  const isTypable = bad.length === 1 && typeof id === 'string' && PLAIN_WORD.test(id) && !id.startsWith('-');
  return {
    text: 'Tell whoever sends them; each is tried again after WORKER_RETRY_INTERVAL. To see which, and why:',
    command: `message-broker-worker failures ${isTypable ? `--client ${id}` : '--by client'}`,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
