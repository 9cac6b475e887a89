/**
 * The terminal as `status --watch` holds it: the alternate screen, so that what stood there before comes back, no cursor, no
 * line that wraps, and each key by itself. Whatever ends the watch gives all of it back, the end of the process too.
 */
import type { ReadStream } from 'node:tty';
import type { Streams } from '../../kit/command.js';
import { cut, painted, widthOfLine, type Line } from '../drawing/line.js';
import type { Room } from '../overview.js';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Of a terminal that does not say. */
const USUAL: Room = { columns: 80, rows: 24 };

interface ScreenOptions {
  readonly streams: Pick<Streams, 'stdin' | 'stdout'>;
  readonly inColour: boolean;
  /** What was typed, as it came. */
  readonly onTyped: (chunk: string) => void;
  readonly onResize: () => void;
  /** Nobody can read or type any more. */
  readonly onGone: () => void;
}

export class Screen {
  readonly #options: ScreenOptions;
  readonly #keyboard: ReadStream | undefined;
  readonly #typed = (chunk: Buffer | string): void => this.#options.onTyped(chunk.toString());
  readonly #resized = (): void => this.#options.onResize();
  readonly #gone = (): void => this.#options.onGone();
  readonly #leave = (): void => this.#giveBack();

  constructor(options: ScreenOptions) {
    this.#options = options;
    const { stdin } = options.streams;
    this.#keyboard = isKeyboard(stdin) ? stdin : undefined;
  }

  get hasKeys(): boolean {
    return this.#keyboard !== undefined;
  }

  get room(): Room {
    const { columns, rows } = this.#options.streams.stdout;
    return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
  }

  open(): void {
    const { stdout } = this.#options.streams;
    this.#take();
    process.once('exit', this.#leave).on('SIGCONT', this.#takeAgain);
    stdout.on('resize', this.#resized);
    this.#keyboard?.on('data', this.#typed).on('error', this.#gone).on('end', this.#gone);
  }

  close(): void {
    this.#keyboard?.off('data', this.#typed).off('error', this.#gone).off('end', this.#gone).pause();
    this.#options.streams.stdout.off('resize', this.#resized);
    process.off('exit', this.#leave).off('SIGCONT', this.#takeAgain);
    this.#giveBack();
  }

  /** Ctrl-Z: back to the shell, until its `fg`. */
  suspend(): void {
    if (process.platform === 'win32') return;
    this.#giveBack();
    // the whole group, as the terminal would; returns when it goes on
    process.kill(0, 'SIGTSTP');
    this.#takeAgain();
  }

  /** From the top left corner, each line cleared to its end, and all below, in one write: nothing flickers. */
  draw(lines: readonly Line[]): void {
    const { columns, rows } = this.room;
    const shown = lines.slice(0, rows).map((whole) => {
      const fitting = cut(whole, columns);
      // behind a full line it would take the last character away
      return `${painted(fitting, this.#options.inColour)}${widthOfLine(fitting) < columns ? '\x1b[K' : ''}`;
    });
    this.#options.streams.stdout.write(`\x1b[H${shown.join('\r\n')}${shown.length < rows ? '\r\n\x1b[J' : ''}`);
  }

  readonly #takeAgain = (): void => {
    // the shell has its own mode, of which node knows nothing
    this.#keyboard?.setRawMode(false);
    this.#take();
    this.#options.onResize();
  };

  #take(): void {
    this.#keyboard?.setRawMode(true);
    this.#options.streams.stdout.write(ENTER);
  }

  #giveBack(): void {
    this.#keyboard?.setRawMode(false);
    this.#options.streams.stdout.write(LEAVE);
  }
}

function isKeyboard(stream: NodeJS.ReadableStream & { readonly isTTY?: boolean }): stream is ReadStream {
  return stream.isTTY === true;
}
