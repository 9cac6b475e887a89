/** `status --watch` on a screen: what is seen of each look, and what the keys do. */
import { systemClock } from '../../../../src/shared/time/clock.js';
import { reasonOf } from '../../../../src/shared/errors.js';
import { printable } from '../../../../src/shared/words/escape.js';
import { deliverOn } from '../../../../src/shared/words/paused.js';
import type { ControlClient } from '../../../admin/client.js';
import type { CommandContext } from '../../kit/command.js';
import { isColoured } from '../colour.js';
import type { Course } from '../course.js';
import { line, type Line } from '../drawing/line.js';
import { wrapped } from '../drawing/wrap.js';
import { overview } from '../overview.js';
import { keyOf, pressed, START, type Controls, type Deed, type Effect } from './controls.js';
import { deadLetters, LINES_BESIDE, type Letters } from './dead-letters.js';
import { footer } from './footer.js';
import { help } from './help.js';
import type { Look } from './look.js';
import { Screen } from './screen.js';

interface DisplayOptions {
  readonly client: ControlClient;
  readonly context: CommandContext;
  readonly course: Course;
  readonly onQuit: () => void;
}

export class Display {
  readonly #client: ControlClient;
  readonly #course: Course;
  readonly #onQuit: () => void;
  readonly #screen: Screen;
  #controls: Controls = START;
  #look: Look | undefined;
  #letters: Letters;
  #isOpen = true;

  constructor({ client, context, course, onQuit }: DisplayOptions) {
    this.#client = client;
    this.#course = course;
    this.#onQuit = onQuit;
    this.#screen = new Screen({
      streams: context.streams,
      inColour: isColoured(context),
      onTyped: (typed) => this.#press(typed),
      onResize: () => this.#draw(),
      onGone: onQuit,
    });
    this.#screen.open();
    this.#draw();
  }

  show(look: Look): void {
    this.#look = look;
    this.#draw();
  }

  close(): void {
    this.#isOpen = false;
    this.#screen.close();
  }

  #press(typed: string): void {
    const { controls, effect } = pressed(this.#controls, keyOf(typed), { isPaused: this.#isPaused });
    this.#controls = controls;
    this.#draw();
    if (effect !== undefined) this.#do(effect);
  }

  #do(effect: Effect): void {
    if (effect === 'quit') this.#onQuit();
    else if (effect === 'suspend') this.#screen.suspend();
    else if (effect === 'dead-letters') void this.#readLetters(undefined);
    else if (effect === 'next-letters') void this.#readLetters(this.#cursor);
    else void this.#carryOut(effect);
  }

  async #carryOut(deed: Deed): Promise<void> {
    const said = await this.#result(deed).then(
      (text) => ({ text, isBad: false }),
      (error: unknown) => ({ text: reasonOf(error), isBad: true }),
    );
    this.#controls = { view: this.#controls.view, said: { ...said, text: printable(said.text, 1_000) } };
    this.#draw();
  }

  async #result(deed: Deed): Promise<string> {
    if (deed === 'pause') {
      const { plain_poppers: poppers } = await this.#client.ask('pause');
      if (poppers.length > 0)
        return `Paused, and p resumes: every worker has confirmed it. ${deliverOn(poppers.length)}`;
      return 'Paused: every worker has confirmed it, no delivery begins any more. p resumes.';
    }
    if (deed === 'resume') {
      await this.#client.ask('resume');
      return 'Deliveries go on within a second.';
    }
    const { remarks } = await this.#client.ask('reload');
    return ['Reloaded: all workers have the new configuration.', ...remarks].join(' Note: ');
  }

  /** The next page, after the last one the first. */
  async #readLetters(cursor: string | undefined): Promise<void> {
    const limit = Math.max(1, this.#screen.room.rows - LINES_BESIDE - 1);
    const asked = { limit, ...(cursor === undefined ? {} : { cursor }) };
    this.#letters = await this.#client.ask('deadLetters', asked).then(
      (list) => ({ list }),
      (error: unknown) => ({ problem: reasonOf(error) }),
    );
    this.#draw();
  }

  get #cursor(): string | undefined {
    const letters = this.#letters;
    return letters !== undefined && 'list' in letters ? (letters.list.cursor ?? undefined) : undefined;
  }

  get #isPaused(): boolean {
    return this.#look !== undefined && 'status' in this.#look && this.#look.status.queue.paused !== null;
  }

  #draw(): void {
    if (!this.#isOpen) return;
    const { columns, rows } = this.#screen.room;
    const below = footer(this.#controls, { columns, hasKeys: this.#screen.hasKeys, isPaused: this.#isPaused });
    const left = Math.max(1, rows - below.length);
    const above = this.#view({ columns, rows: left }).slice(0, left);
    const blanks = Array.from({ length: left - above.length }, (): Line => []);
    this.#screen.draw([...above, ...blanks, ...below]);
  }

  #view(room: { readonly columns: number; readonly rows: number }): Line[] {
    const now = systemClock.wallNow();
    if (this.#controls.view === 'help') return help();
    if (this.#controls.view === 'dead') return deadLetters(this.#letters, room, now);
    if (this.#look === undefined) return [line('asking the supervisor …')];
    if ('status' in this.#look) return overview(this.#look.status, room, { now, course: this.#course });
    const { problem, since, last } = this.#look;
    return [
      line({ text: 'NO ANSWER', tone: 'bad' }, `  since ${since}`),
      ...wrapped(problem, room.columns).map((text) => line(text)),
      ...(last === undefined ? [] : [[], line({ text: `Before that: ${last}`, tone: 'faint' })]),
      [],
      line('Trying again every second.'),
    ];
  }
}
