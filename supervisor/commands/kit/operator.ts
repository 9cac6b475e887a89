import { hostname, userInfo } from 'node:os';
import type { Act, Operator } from '../../../src/domain/audit/deed.js';
import type { OperatorQueue } from '../../../src/queue/operator-queue.js';
import type { CommandContext } from './command.js';

/** Who gives this command. */
export function operatorOf({ env }: Pick<CommandContext, 'env'>): Operator {
  const by = env['SUDO_USER'];
  return { who: by === undefined || by === '' ? userName() : `${userName()} (sudo by ${by})`, where: hostname() };
}

/** Writes down what this command has done; says so where Redis refuses that. Never rejects. */
export async function noteDeed(
  { audit }: Pick<OperatorQueue, 'audit'>,
  context: CommandContext,
  act: Act,
): Promise<void> {
  const refusal = await audit.note({ ...act, ...operatorOf(context) });
  if (refusal !== undefined) context.printError(`Note: this is not written into the audit: ${refusal}`);
}

/** How the audit tells of the end of a run: one that was killed has none. */
export function outcomeOf(run: {
  readonly done: number;
  readonly isInterrupted?: boolean;
}): Pick<Act, 'count' | 'detail'> {
  return { count: run.done, detail: run.isInterrupted === true ? 'interrupted' : undefined };
}

/** A container's user may have a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
