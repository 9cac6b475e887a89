/**
 * `status --watch`: draws on the terminal's alternate screen, so that what stood there before comes back, once a second
 * until Ctrl-C. Without a terminal (a pipe, a log) it prints one line a second. A supervisor that is away is waited for.
 */
import { harmless } from '../../../src/shared/words/escape.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { reasonOf } from '../../../src/shared/errors.js';
import type { ControlClient } from '../../admin/client.js';
import type { StatusDocument } from '../../status/status-document.js';
import type { CommandContext } from '../kit/command.js';
import { headline, queueLine, statusText } from './text.js';
import { sparkline, Throughput } from './throughput.js';

const INTERVAL_MS = 1_000;
const HISTORY = 120;
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Look = { readonly status: StatusDocument } | { readonly problem: string };

export async function watchStatus(client: ControlClient, { streams, print }: CommandContext): Promise<void> {
  const { stdout } = streams;
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const leave = (): void => void stdout.write(LEAVE);
  const throughput = new Throughput(HISTORY);
  for (const signal of ENDING_SIGNALS) process.on(signal, end);
  // the reader of our pipe is gone
  stdout.once('error', end);
  if (stdout.isTTY) {
    stdout.write(ENTER);
    process.once('exit', leave);
  }
  try {
    while (!ended.signal.aborted) {
      const look = await lookAt(client);
      if ('status' in look) throughput.add(look.status, systemClock.now());
      if (stdout.isTTY) stdout.write(frame(look, throughput, stdout));
      else print(oneLine(look, throughput));
      await systemClock.sleep(INTERVAL_MS, ended.signal);
    }
  } finally {
    for (const signal of ENDING_SIGNALS) process.off(signal, end);
    if (stdout.isTTY) {
      process.off('exit', leave);
      leave();
    }
  }
}

async function lookAt(client: ControlClient): Promise<Look> {
  try {
    return { status: await client.ask('status') };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

/** From the top left corner, each line cleared to its end, and all below: nothing flickers. */
function frame(look: Look, throughput: Throughput, { columns, rows }: NodeJS.WriteStream): string {
  const lines =
    'problem' in look
      ? ['NO ANSWER', look.problem, '', 'Trying again every second. Ctrl-C to end.']
      : [...statusText(look.status), '', ...plot(throughput, columns), '', 'Ctrl-C to end'];
  const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => `${harmless(line).slice(0, columns)}\x1b[K\r\n`);
  return `\x1b[H${shown.join('')}\x1b[J`;
}

function plot(throughput: Throughput, columns: number): string[] {
  const { rates, now } = throughput;
  const shown = rates.slice(-Math.max(10, Math.min(HISTORY, columns - 2)));
  const highest = Math.max(0, ...shown);
  return [`delivered: ${now.toFixed(1)}/s now, ${highest.toFixed(1)}/s at most in ${shown.length} s`, sparkline(shown)];
}

function oneLine(look: Look, throughput: Throughput): string {
  const time = new Date(systemClock.wallNow()).toISOString().slice(0, 19).replace('T', ' ');
  if ('problem' in look) return `${time}  NO ANSWER  ${look.problem}`;
  return `${time}  ${headline(look.status)}  ${throughput.now.toFixed(1)}/s  ${queueLine(look.status.queue)}`;
}
