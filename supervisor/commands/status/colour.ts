/** Whether a stream is a screen, and may be coloured (https://no-color.org). Pure. */
import type { CommandContext } from '../kit/command.js';

/** A terminal of this kind knows no cursor: `status --watch` prints lines on it, as into a pipe. */
const DUMB = 'dumb';

export function isScreen({ env, streams }: Pick<CommandContext, 'env' | 'streams'>): boolean {
  return streams.stdout.isTTY && env['TERM'] !== DUMB;
}

export function isColoured(context: Pick<CommandContext, 'env' | 'streams'>): boolean {
  return isScreen(context) && (context.env['NO_COLOR'] ?? '') === '';
}
