import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fleet, Settings } from '../../support/program/fleet.js';
import type { Stage } from './stage.js';

const CLI = fileURLToPath(new URL('../../../dist/supervisor/cli.js', import.meta.url));

interface Starter {
  /** For sh; `"$@"` is the program. */
  readonly command?: string;
  /** JavaScript that runs 200 ms after the start and knows the program as `child`. */
  readonly after?: string;
}

/** The program as the child of another one, which sets its limits first or mistreats it afterwards. */
export async function startedBy(
  stage: Stage,
  settings: Settings,
  { command = 'exec "$@"', after = '' }: Starter,
): Promise<Fleet> {
  const fleet = await stage.start(settings, { prepareOnly: true });
  const script = join(fleet.cwd, 'starter.mjs');
  const shell = JSON.stringify(['-c', command, 'sh', process.execPath, CLI, 'start']);
  writeFileSync(
    script,
    `import { spawn } from 'node:child_process';
const child = spawn('sh', ${shell}, { stdio: ['ignore', 'pipe', 'pipe'] });
child.stdout.pipe(process.stdout);
child.stderr.pipe(process.stderr);
child.on('exit', (code) => process.exit(code ?? 1));
setTimeout(() => { ${after} }, 200);
`,
  );
  fleet.startAgain({}, script);
  return fleet;
}
