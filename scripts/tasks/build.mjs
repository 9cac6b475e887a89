// Builds dist/, and knows whether it has to be built. `node scripts/tasks/build.mjs` builds always.
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, runNode, StepError } from './install.mjs';

const STAMP = join(root, 'dist', '.built');
const SOURCES = ['src', 'supervisor', 'scripts'];
const FILES = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

export async function build(options = {}) {
  const started = new Date();
  await runNode(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], options);
  await runNode(['node_modules/typescript/bin/tsc', '-p', 'supervisor/dashboard/page/tsconfig.json'], options);
  await runNode(['scripts/tasks/copy-assets.mjs'], options);
  await runNode(['scripts/tasks/bundle-page.mjs'], options);
  // The start, not the end: what was edited meanwhile may have been missed.
  writeFileSync(STAMP, '');
  utimesSync(STAMP, started, started);
}

/** Folders count too: their time changes when a file is removed. */
export function isBuilt() {
  const built = modified(STAMP);
  const folders = SOURCES.flatMap((name) => [
    name,
    ...readdirSync(join(root, name), { recursive: true }).map((inside) => join(name, String(inside))),
  ]);
  return built > 0 && [...folders, ...FILES].every((path) => modified(join(root, path)) <= built);
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build({ show: true }).catch((error) => {
    if (!(error instanceof StepError)) throw error;
    process.exitCode = 1;
  });
}
