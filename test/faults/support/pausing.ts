import type { Fleet } from '../../support/program/fleet.js';
import { startProgram } from '../../support/program/program.js';
import type { Stage } from './stage.js';

interface Span {
  /** Monotonic ms, both left out. */
  readonly since: number;
  readonly until: number;
}

/** Runs it in the folder of the fleet; `out` is all that it says. */
export async function command(
  fleet: Fleet,
  ...args: string[]
): Promise<{ readonly code: number | null; readonly out: string }> {
  const program = startProgram({ args, cwd: fleet.cwd });
  const { code } = await program.waitForExit();
  return { code, out: program.lines.map(({ text }) => text).join('\n') };
}

/**
 * The POSTs that began within the span, in words. What had left before the last worker confirmed a pause is in the hands of
 * the main server by the time the command has ended.
 */
export function postsWithin({ server }: Stage, { since, until }: Span, when: string): string[] {
  return [...server.ledger.exchanges.values()]
    .flat()
    .filter(({ method, startMs }) => method === 'POST' && startMs > since && startMs < until)
    .map(({ id, startMs }) => `${id} ${(startMs - since).toFixed(0)} ms after it (${when})`);
}
