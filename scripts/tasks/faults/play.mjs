// Plays rows: each in a process of its own, some beside each other.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { printRow } from './print.mjs';

/** Most rows wait more than they work, so two share the two cores; those with a tight clock run alone, first. */
const LANES = 2;
const ROW_LIMIT_MS = 180_000;
/** A row past its limit gets this long to end what it has started. */
const CLOSE_LIMIT_MS = 15_000;
/** So long is waited for the last words of a process that is gone: what it left running may hold its pipes for ever. */
const LAST_WORDS_MS = 1_000;
/** Of what a row's process says; only the end is shown. */
const MOST_OUTPUT = 2_000;

/**
 * Resolves to the results, in the order of `rows`, whatever they do. `full`: `rows` are at their full size. `minutes`: of the
 * soak, which takes that much longer. `limits`: for tests, in ms.
 */
export async function playAll(rows, { folder, full = false, minutes, limits = {} }) {
  const { rowMs = ROW_LIMIT_MS, closeMs = CLOSE_LIMIT_MS } = limits;
  const results = new Map();
  const playNext = async (queue) => {
    for (let row = queue.shift(); row; row = queue.shift()) {
      const limitMs = (row.limitMs ?? rowMs) + (row.id === 'soak' ? minutes * 60_000 : 0);
      results.set(row.id, await play(row, { folder, full, minutes, limitMs, closeMs }));
    }
  };
  await playNext(rows.filter(({ alone }) => alone));
  const together = rows.filter(({ alone }) => !alone);
  await Promise.all(Array.from({ length: LANES }, () => playNext(together)));
  return rows.map(({ id }) => results.get(id));
}

/** Resolves to the row's result. */
async function play(row, { folder, full, minutes, limitMs, closeMs }) {
  const startedAt = performance.now();
  const args = [row.id, '--minutes', String(minutes), ...(full ? ['--full'] : [])];
  const { output, end, ...told } = await ended(join(folder, 'test/faults/run-row.js'), args, { limitMs, closeMs });
  const tookMs = performance.now() - startedAt;
  const problem = tookMs > limitMs ? `it took longer than ${limitMs / 1_000} s` : 'it ended without a result';
  const result = told.result ?? { ...row, problems: [`${problem} (${end}): ${output.trimEnd()}`], tail: [] };
  printRow(row, result, tookMs);
  return result;
}

async function ended(script, args, { limitMs, closeMs }) {
  const child = fork(script, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const streams = [child.stdout, child.stderr];
  let output = '';
  for (const stream of streams) stream.on('data', (chunk) => (output = `${output}${chunk}`.slice(-MOST_OUTPUT)));
  let result;
  child.on('message', (message) => (result = message));
  // it takes the closed channel for our death and ends what it has started
  const timers = [
    setTimeout(() => child.connected && child.disconnect(), limitMs),
    setTimeout(() => child.kill('SIGKILL'), limitMs + closeMs),
  ];
  const end = await endOf(child);
  for (const timer of timers) clearTimeout(timer);
  for (const stream of streams) stream.destroy();
  return { result, output, end };
}

/**
 * How it ended, in words. 'close' alone is not enough: it never comes when it was us who closed the channel, nor while
 * somebody else holds the pipes, and with nothing left to wait for Node would end us without a word.
 */
async function endOf(child) {
  const closed = new Promise((resolve) => child.once('close', resolve));
  const end = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, LAST_WORDS_MS)));
  await Promise.race([closed, late]);
  clearTimeout(timer);
  return end;
}
