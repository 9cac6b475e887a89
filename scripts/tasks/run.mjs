// `node scripts/tasks/run.mjs quickstart`, or another room of scripts/: installs and builds what is missing, then runs that
// room's main.ts in this process.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, isBuilt } from './build.mjs';
import { checkNode, install, isInstalled, root, StepError } from './install.mjs';

const room = process.argv.splice(2, 1)[0];

try {
  checkRoom();
  checkNode();
  if (!isInstalled()) await announced('Installing the packages with npm ci (once, about half a minute)', install);
  if (!isBuilt()) await announced('Building with tsc (once, about ten seconds)', build);
} catch (error) {
  if (!(error instanceof StepError)) throw error;
  console.error([error.output.trim(), error.message].filter(Boolean).join('\n'));
  process.exit(1);
}
await import(`../../dist/scripts/${room}/main.js`);

/** Throws unless the room has a program. */
function checkRoom() {
  const isRunnable = (name) => existsSync(join(root, 'scripts', name, 'main.ts'));
  const names = readdirSync(join(root, 'scripts')).filter(isRunnable);
  if (names.includes(room)) return;
  const said = room === undefined ? 'No room is given' : `There is no program in scripts/${room}`;
  throw new StepError(`${said}; there is one in ${names.map((name) => `scripts/${name}`).join(', ')}.`, '');
}

async function announced(text, step) {
  console.log(`${text} …`);
  await step();
}
