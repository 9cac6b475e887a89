import type { Fleet } from '../../support/program/fleet.js';
import { startProgram } from '../../support/program/program.js';

/** A command of an operator, in the folder of the fleet: what it printed. Rejects where it does not end with exit code 0. */
export async function runCommand(fleet: Fleet, ...args: readonly string[]): Promise<string> {
  const program = startProgram({ args, cwd: fleet.cwd });
  const { code } = await program.waitForExit(120_000);
  const printed = program.lines.map(({ text }) => text).join('\n');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with exit code ${code}: ${printed}`);
  return printed;
}
