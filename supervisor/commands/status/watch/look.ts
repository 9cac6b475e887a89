/** One look at the supervisor, and what is said of it in a line. Pure but for the asking. */
import { reasonOf } from '../../../../src/shared/errors.js';
import type { ControlClient } from '../../../admin/client.js';
import { completed } from '../../../status/documents/earlier-status.js';
import type { StatusDocument } from '../../../status/status-document.js';
import type { Course } from '../course.js';
import { painted } from '../drawing/line.js';
import { places } from '../numbers.js';
import { situationOf } from '../situation.js';
import { timeText } from '../time-text.js';

export type Look =
  | { readonly status: StatusDocument }
  | {
      readonly problem: string;
      /** By this host's clock. */
      readonly since: string;
      /** What the last answer said. */
      readonly last: string | undefined;
    };

/** Never rejects. `before`: the look before this one. */
export async function lookAt(client: ControlClient, wallNow: () => number, before: Look | undefined): Promise<Look> {
  try {
    return { status: completed(await client.ask('status')) };
  } catch (error) {
    const isNew = before === undefined || 'status' in before;
    return {
      problem: reasonOf(error),
      since: isNew ? timeText(wallNow()) : before.since,
      last: isNew ? before && stateText(before.status, wallNow()) : before.last,
    };
  }
}

export function oneLine(look: Look, course: Course, wallMs: number): string {
  const time = timeText(wallMs);
  if ('problem' in look) return `${time}  NO ANSWER  ${look.problem}`;
  return `${time}  ${stateText(look.status, wallMs, `${course.now.toFixed(1)}/s`)}`;
}

function stateText(status: StatusDocument, wallMs: number, rate?: string): string {
  const { word, text } = situationOf(status, wallMs);
  const facts = places(status).map((fact) => painted(fact, false));
  return [word, ...(rate === undefined ? [] : [rate]), facts.join(', '), text].join('  ');
}
