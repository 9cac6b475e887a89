/** What an operator can do to deliveries and workers: each asks first, needs the token, and says what became of it. */
import type { StatusDocument } from '../../../status/status-document.js';
import { ask, CancelledError, RefusedError } from '../admin-requests.js';
import { byId, fillList, make, setAttribute, setText } from '../elements.js';
import { printable } from '../../../../src/shared/words/escape.js';
import { deliverOn } from '../../../../src/shared/words/paused.js';
import { confirmed, pauseFields, type Question } from '../question.js';
import { gate } from '../token-gate.js';

interface Deed extends Question {
  /** @returns what became of it. */
  readonly act: () => Promise<string>;
}

const NAMES = ['pause', 'resume', 'reload', 'scale', 'restart'] as const;
type Name = (typeof NAMES)[number];
const LONGEST_ANSWER = 600;

export class Controls {
  readonly #workers = byId<HTMLInputElement>('control-workers');
  readonly #worker = byId<HTMLSelectElement>('control-worker');
  readonly #onDone: () => void;
  #status: StatusDocument | undefined;
  #isBusy = false;

  /** @param onDone something was done, or tried. */
  constructor(onDone: () => void) {
    this.#onDone = onDone;
    for (const name of NAMES) {
      const button = gate(byId<HTMLButtonElement>(`control-${name}`), false);
      button.onclick = () => void this.#run(this.#deed(name));
    }
    gate(this.#workers);
    gate(this.#worker);
    this.#workers.onkeydown = (event) => {
      if (event.key === 'Enter') byId('control-scale').click();
    };
  }

  statusIs(status: StatusDocument): void {
    const { supervisor, workers } = status;
    // a number that somebody is about to change stays
    const isUntouched = this.#workers.value === String(this.#status?.supervisor.workers_wanted ?? '');
    if (isUntouched) this.#workers.value = String(supervisor.workers_wanted);
    this.#status = status;
    const chosen = this.#worker.value;
    fillList(
      this.#worker,
      workers,
      () => make('option'),
      (option, { id }) => {
        setAttribute(option, 'value', id);
        setText(option, printable(id, 80));
      },
    );
    if (workers.some(({ id }) => id === chosen)) this.#worker.value = chosen;
    this.#gateAll();
  }

  #gateAll(): void {
    for (const name of NAMES) gate(byId<HTMLButtonElement>(`control-${name}`), !this.#isBusy && this.#canDo(name));
  }

  #canDo(name: Name): boolean {
    if (!this.#status) return false;
    if (name === 'resume') return this.#status.queue.paused !== null;
    return name !== 'restart' || this.#status.workers.length > 0;
  }

  async #run({ act, ...question }: Deed): Promise<void> {
    if (!(await confirmed(question))) return;
    const note = byId('control-note');
    this.#isBusy = true;
    this.#gateAll();
    setText(note, `${question.title} …`);
    try {
      setText(note, printable(await act(), LONGEST_ANSWER));
    } catch (error) {
      setText(note, failureOf(error));
    }
    this.#isBusy = false;
    this.#gateAll();
    this.#onDone();
  }

  #deed(name: Name): Deed {
    switch (name) {
      case 'pause':
        return pause();
      case 'resume':
        return resume();
      case 'reload':
        return reload();
      case 'scale':
        return scale(this.#status?.supervisor.workers_wanted ?? 0, Number(this.#workers.value));
      case 'restart':
        return restart(this.#worker.value);
    }
  }
}

function pause(): Deed {
  return {
    title: 'Pause all deliveries',
    text: 'No delivery begins any more, on any host, over restarts; what is in flight goes on.',
    yes: 'Pause',
    isPause: true,
    async act() {
      const { confirmed: all, processing, plain_poppers: poppers } = await ask('pause', pauseFields());
      const others = poppers.length === 0 ? '' : ` ${deliverOn(poppers.length)}`;
      return `Paused; ${all.length} workers have confirmed it, ${processing} messages are claimed.${others}`;
    },
  };
}

function resume(): Deed {
  return {
    title: 'Resume',
    text: 'The pause of all deliveries ends, on all hosts, whoever began it.',
    yes: 'Resume',
    async act() {
      const { ended } = await ask('resume');
      return ended ? 'Deliveries go on within a second.' : 'Deliveries were not paused.';
    },
  };
}

function reload(): Deed {
  return {
    title: 'Reload',
    text: 'Configuration and certificates are read again, and the workers of this host replaced one by one.',
    yes: 'Reload',
    async act() {
      const { workers_before: before, workers_wanted: wanted, remarks } = await ask('reload');
      const number = before === wanted ? [] : [`Workers: ${before} → ${wanted}.`];
      return ['Reloaded: all workers have the new configuration.', ...number, ...remarks].join(' ');
    },
  };
}

function scale(now: number, wanted: number): Deed {
  return {
    title: 'Change the number of workers',
    text: `From ${now} to ${wanted} on this host, until WORKER_COUNT changes or the supervisor restarts.`,
    yes: 'Scale',
    async act() {
      const answer = await ask('scale', { workers: wanted });
      return `Workers: ${answer.workers_before} → ${answer.workers_wanted}.`;
    },
  };
}

function restart(id: string): Deed {
  return {
    title: 'Restart a worker',
    text: `${printable(id, 80)} gets a fresh process, without a gap; what is in flight there ends first.`,
    yes: 'Restart',
    async act() {
      const { pid } = await ask('restart', { id });
      return `${id} has a new process (pid ${pid}).`;
    },
  };
}

function failureOf(error: unknown): string {
  if (error instanceof CancelledError) return 'Not done: the token was not given.';
  return error instanceof RefusedError
    ? printable(error.message, LONGEST_ANSWER)
    : 'It is not known what became of it.';
}
