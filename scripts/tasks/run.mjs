// `node scripts/tasks/run.mjs quickstart`, or another room of scripts/: installs and builds what is missing, then runs that
// room's main.ts in this process.
import { build, isBuilt } from './build.mjs';
import { checkNode, install, isInstalled, StepError } from './install.mjs';

const room = process.argv.splice(2, 1)[0];

try {
  checkNode();
  if (!isInstalled()) await announced('Installing the packages with npm ci (once, about half a minute)', install);
  if (!isBuilt()) await announced('Building with tsc (once, about ten seconds)', build);
} catch (error) {
  if (!(error instanceof StepError)) throw error;
  console.error([error.output.trim(), error.message].filter(Boolean).join('\n'));
  process.exit(1);
}
await import(`../../dist/scripts/${room}/main.js`);

async function announced(text, step) {
  console.log(`${text} …`);
  await step();
}
