/**
 * `status --watch`: looks once a second until `q`, Ctrl-C or a signal. On a screen it draws and listens to keys; without one
 * (a pipe, a log, a dumb terminal) it prints one line a second. A supervisor that is away is waited for.
 */
import { systemClock } from '../../../../src/shared/time/clock.js';
import type { ControlClient } from '../../../admin/client.js';
import type { CommandContext } from '../../kit/command.js';
import { isScreen } from '../colour.js';
import { Course } from '../course.js';
import { Display } from './display.js';
import { lookAt, oneLine, type Look } from './look.js';

const INTERVAL_MS = 1_000;
const HISTORY = 160;
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function watchStatus(client: ControlClient, context: CommandContext): Promise<void> {
  const { stdout } = context.streams;
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const course = new Course(HISTORY);
  for (const signal of ENDING_SIGNALS) process.on(signal, end);
  // the reader of our pipe is gone
  stdout.once('error', end);
  const display = isScreen(context) ? new Display({ client, context, course, onQuit: end }) : undefined;
  const show = (look: Look): void => {
    if ('status' in look) course.add(look.status, systemClock.now());
    if (display) display.show(look);
    else context.print(oneLine(look, course, systemClock.wallNow()));
  };
  try {
    await Promise.race([looks(client, ended.signal, show), whenAborted(ended.signal)]);
  } finally {
    for (const signal of ENDING_SIGNALS) process.off(signal, end);
    display?.close();
  }
}

async function looks(client: ControlClient, ended: AbortSignal, show: (look: Look) => void): Promise<void> {
  let look: Look | undefined;
  while (!ended.aborted) {
    look = await lookAt(client, () => systemClock.wallNow(), look);
    // an answer may take 5 s, and nobody waits for it who has gone
    if (ended.aborted) return;
    show(look);
    await systemClock.sleep(INTERVAL_MS, ended);
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
