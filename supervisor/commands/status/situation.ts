/** What stands above all: whether messages flow, why not, since when, and what to do first. Pure. */
import { printable } from '../../../src/shared/words/escape.js';
import { span } from '../../../src/shared/words/span.js';
import type { Headline, StatusDocument } from '../../status/status-document.js';
import type { Tone } from './drawing/line.js';
import { timeText } from './time-text.js';

export interface Situation {
  /** FLOWING, DEGRADED, PAUSED or STOPPED; UNKNOWN of a supervisor that does not judge. */
  readonly word: string;
  readonly tone: Tone;
  /** The cause of the word. */
  readonly text: string;
  /** Since when, and when it is looked again; undefined = messages flow, and nobody waits for anything. */
  readonly times: string | undefined;
  /** What to do first. */
  readonly advice: Headline['advice'];
  /** What else is wrong, the worst first. */
  readonly further: readonly string[];
  /** And so many more. */
  readonly leftOut: number;
}

const LONGEST = 400;
const TONES = { flowing: 'good', degraded: 'warning', paused: 'warning', stopped: 'bad' } as const;

/** @param now ms since the Unix epoch. */
export function situationOf(status: StatusDocument, now: number): Situation {
  const { headline } = status as Partial<Pick<StatusDocument, 'headline'>>;
  if (headline === undefined) return ofEarlierVersion(status);
  const { state, cause, text, advice, further, left_out: leftOut } = headline;
  return {
    word: state.toUpperCase(),
    tone: TONES[state],
    text: printable(text, LONGEST),
    times: cause === null && advice === null ? undefined : timesOf(headline, now),
    advice,
    further: further.map((concern) => printable(concern.text, LONGEST)),
    leftOut,
  };
}

function timesOf({ since, next_look_seconds: next }: Headline, now: number): string {
  const at = Date.parse(since);
  const look = next === null ? '' : `; next look in ${span(next)}`;
  return `since ${timeText(at)}, for ${span((now - at) / 1_000)}${look}`;
}

/** The package was replaced while it ran. */
function ofEarlierVersion({ supervisor }: StatusDocument): Situation {
  return {
    word: 'UNKNOWN',
    tone: 'warning',
    text: `the supervisor is of an earlier version (${printable(supervisor.version, 40)}) and does not say`,
    times: undefined,
    advice: { text: 'To see what is wrong:', command: 'message-broker-worker check' },
    further: [],
    leftOut: 0,
  };
}
