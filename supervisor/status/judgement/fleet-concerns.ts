import { printable } from '../../../src/shared/words/escape.js';
import type { Concern, StatusFacts } from '../status-document.js';

/** Who is away for longer is known; `fleet` and the table of hosts say it for a day. */
const NEWS_SECONDS = 3_600;
const NAME_LENGTH = 64;

/** Hosts that have vanished within the hour. Their messages come back by themselves. */
export function fleetConcerns({ fleet }: StatusFacts): Concern[] {
  const missing = (fleet?.missing ?? []).filter(({ silent_seconds: silent }) => silent < NEWS_SECONDS);
  const [latest, ...others] = missing;
  if (!latest) return [];
  const who = printable(`${latest.host}/${latest.instance}`, NAME_LENGTH);
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return [
    {
      cause: 'host',
      text: `host ${who} has not been heard of since ${latest.last_seen_at}${more}`,
      level: 'note',
      workers: [],
      next_look_seconds: null,
      advice: {
        text: 'What it held is taken by the others. Look whether the host runs and reaches Redis, and start the service there again:',
        command: 'message-broker-worker fleet',
      },
    },
  ];
}
