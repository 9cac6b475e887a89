/** Who else serves the queue: how many at once, the table when it is opened, and from then on every few seconds. */
import type { FleetStatus } from '../../../status/status-document.js';
import { ask } from '../admin-requests.js';
import { byId, setAttribute, setText } from '../elements.js';
import { createHostsTable } from './hosts-table.js';

const ASK_EVERY_MS = 4_000;

export class Hosts {
  readonly #place = byId<HTMLDetailsElement>('hosts');
  readonly #show = createHostsTable(byId('hosts-panel'));
  #askedAt = -Infinity;
  #isAsking = false;

  constructor() {
    this.#place.ontoggle = () => this.#ask();
  }

  /** With each status. */
  countsAre(fleet: FleetStatus | null): void {
    const missing = fleet?.vanished ?? 0;
    setAttribute(this.#place, 'data-missing', String(missing > 0));
    setText(byId('hosts-count'), fleet === null ? 'unknown' : counts(fleet));
    this.#ask();
  }

  #ask(): void {
    if (!this.#place.open || this.#isAsking || performance.now() - this.#askedAt < ASK_EVERY_MS) return;
    this.#isAsking = true;
    void ask('fleet')
      .then(
        (fleet) => {
          this.#show(fleet.members);
          setText(byId('hosts-note'), '');
        },
        (error: unknown) => setText(byId('hosts-note'), `Unknown: ${(error as Error).message}`),
      )
      .finally(() => {
        this.#askedAt = performance.now();
        this.#isAsking = false;
      });
  }
}

function counts({ alive, vanished, stopped }: FleetStatus): string {
  const parts = [`${alive} alive`];
  if (vanished > 0) parts.push(`${vanished} vanished`);
  if (stopped > 0) parts.push(`${stopped} stopped`);
  return parts.join(', ');
}
