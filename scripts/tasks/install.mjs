// Makes a fresh clone usable with nothing but Node: what run.mjs and test.mjs do first. Plain JavaScript without
// packages, since there are none yet.
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allows } from './node-version.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A command failed; `output` is all it said, empty when it was shown as it came. */
export class StepError extends Error {
  constructor(message, output) {
    super(message);
    this.output = output;
  }
}

/** Throws when the packages that a clone needs do not run on this Node; the built program asks for less. */
export function checkNode() {
  const { engines, devEngines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { version } = devEngines.runtime;
  if (allows(version, process.versions.node)) return;
  const problem = `To build and test, Node ${version} is needed; this is ${process.versions.node}.`;
  throw new StepError(`${problem} (Once built, the program runs on ${engines.node}.)`, '');
}

/** npm writes the hidden lockfile last: without it, an earlier installation was cut off. */
export function isInstalled() {
  const installed = modified('node_modules/.package-lock.json');
  return installed > 0 && installed >= modified('package-lock.json');
}

/** Development packages are needed to build, whatever NODE_ENV says. */
export async function install() {
  await npm(['ci', '--include=dev', '--no-audit', '--no-fund']);
}

/** Runs the npm that runs us, else the one on the PATH. */
export async function npm(args) {
  const path = process.env.npm_execpath;
  if (path?.endsWith('.js')) await runNode([path, ...args]);
  else await run('npm', args, { shell: process.platform === 'win32' });
}

/** By this Node, or the one at the path `node`. */
export function runNode(args, { node = process.execPath, ...options } = {}) {
  return run(node, args, options);
}

/**
 * Runs a command in the project's folder, resolves to its output and rejects with a StepError. `show` lets it write to
 * the terminal instead. A signal that ends us ends it too.
 */
async function run(command, args, { show = false, shell = false, env = process.env } = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env,
    shell,
    stdio: ['ignore', ...(show ? ['inherit', 'inherit'] : ['pipe', 'pipe'])],
  });
  const chunks = [];
  child.stdout?.on('data', (chunk) => chunks.push(chunk));
  child.stderr?.on('data', (chunk) => chunks.push(chunk));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  let received;
  const forward = (signal) => {
    received = signal;
    child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  const ended = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `exit code ${code ?? signal}`));
  });
  for (const signal of signals) process.off(signal, forward);
  const output = Buffer.concat(chunks).toString();
  if (received) process.kill(process.pid, received);
  if (ended !== undefined) throw new StepError(`${[command, ...args].join(' ')}: ${ended}`, output);
  return output;
}

function modified(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
