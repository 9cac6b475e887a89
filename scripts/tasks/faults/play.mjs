// Plays rows: each in a process of its own, some beside each other.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { printRow } from './print.mjs';

/** Most rows wait more than they work, so two share the two cores; those with a tight clock run alone, first. */
const LANES = 2;
const ROW_LIMIT_MS = 180_000;
/** A row past its limit gets this long to end what it has started. */
const CLOSE_LIMIT_MS = 15_000;

/** Resolves to the results, in the order of `rows`. `minutes`: of the soak, which takes that much longer. */
export async function playAll(rows, { folder, minutes }) {
  const results = new Map();
  const playNext = async (queue) => {
    for (let row = queue.shift(); row; row = queue.shift()) results.set(row.id, await play(row, { folder, minutes }));
  };
  await playNext(rows.filter(({ alone }) => alone));
  const together = rows.filter(({ alone }) => !alone);
  await Promise.all(Array.from({ length: LANES }, () => playNext(together)));
  return rows.map(({ id }) => results.get(id));
}

/** Resolves to the row's result, whatever happens. */
async function play(row, { folder, minutes }) {
  const startedAt = performance.now();
  const limitMs = ROW_LIMIT_MS + (row.id === 'soak' ? minutes * 60_000 : 0);
  const script = join(folder, 'test/faults/run-row.js');
  const { output, end, ...told } = await ended(script, [row.id, '--minutes', String(minutes)], limitMs);
  const tookMs = performance.now() - startedAt;
  const problem = tookMs > limitMs ? `it took longer than ${limitMs / 1_000} s` : 'it ended without a result';
  const result = told.result ?? { ...row, problems: [`${problem} (${end}): ${output.slice(-2_000)}`], tail: [] };
  printRow(row, result, tookMs);
  return result;
}

async function ended(script, args, limitMs) {
  const child = fork(script, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  let result;
  child.on('message', (message) => (result = message));
  // it takes the closed channel for our death and ends what it has started
  const timers = [
    setTimeout(() => child.connected && child.disconnect(), limitMs),
    setTimeout(() => child.kill('SIGKILL'), limitMs + CLOSE_LIMIT_MS),
  ];
  const end = await new Promise((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`)),
  );
  for (const timer of timers) clearTimeout(timer);
  return { result, output, end };
}
