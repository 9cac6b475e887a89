/** What `?` shows. Pure. */
import { line, type Line } from '../drawing/line.js';

const KEYS = [
  ['p', 'pause all deliveries on all hosts, or resume them; asks'],
  ['r', 'read the configuration again and replace the workers one by one; asks'],
  ['d', 'the dead letters, the newest first; n for the next page'],
  ['q', 'quit; Ctrl-C too'],
  ['Ctrl-Z', 'back to the shell until "fg"'],
  ['?', 'this help, and back'],
] as const;

const WORDS = [
  ['FLOWING', 'nothing is wrong'],
  ['DEGRADED', 'messages are delivered, and something is wrong'],
  ['PAUSED', 'somebody has paused all deliveries'],
  ['STOPPED', 'no message is delivered'],
  ['NO ANSWER', 'the supervisor does not answer; it is asked again every second'],
] as const;

const COMMANDS = [
  ['message-broker-worker check', 'see what is wrong, and what would mend it'],
  ['message-broker-worker failures', 'see what fails, whom it hits and since when'],
  ['message-broker-worker message show ID', 'find one message'],
] as const;

export function help(): Line[] {
  return [
    line({ text: 'Keys', tone: 'strong' }),
    ...rows(KEYS),
    [],
    line({ text: 'First word', tone: 'strong' }),
    ...rows(WORDS),
    [],
    line({ text: 'More', tone: 'strong' }),
    ...rows(COMMANDS),
  ];
}

function rows(table: readonly (readonly [string, string])[]): Line[] {
  const wide = Math.max(...table.map(([name]) => name.length));
  return table.map(([name, what]) => line('  ', { text: name.padEnd(wide), tone: 'strong' }, `  ${what}`));
}
