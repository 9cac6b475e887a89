import type { Command } from 'commander';

import { EXIT_CONFIG, EXIT_FAILURE } from '../../../src/shared/errors.js';
import { EXIT_NO_SUPERVISOR, EXIT_USAGE } from './command.js';

type ExitCodes = ReadonlyMap<number, string>;

const USAGE: readonly [number, string] = [EXIT_USAGE, 'wrong usage: unknown option, or a value that cannot be'];
const CONFIG: readonly [number, string] = [EXIT_CONFIG, 'the configuration cannot be used'];

/** What each command ends with, by its words; those of groups are the codes of all that is in them. */
export const EXIT_CODES: Readonly<Record<string, ExitCodes>> = {
  start: new Map([
    [0, 'stopped by a signal or by stop, everything settled or handed back'],
    [EXIT_FAILURE, 'a worker had to be killed at the stop, none could be started, or another supervisor runs'],
    USAGE,
    [EXIT_CONFIG, 'configuration, certificates, runtime directory or Redis cannot be used; a restart does not mend it'],
  ]),
  worker: new Map([
    [0, 'stopped by a signal, everything settled or handed back'],
    [EXIT_FAILURE, 'it could not start, or a bug ended it'],
    USAGE,
    [EXIT_CONFIG, 'configuration, certificates or Redis cannot be used; a restart does not mend it'],
  ]),
  status: ofSupervisor('shown, whatever the state', 'what answers is no supervisor, or belongs to another user'),
  reload: ofSupervisor('all workers have the new configuration', 'the reload failed: the old workers serve on'),
  scale: ofSupervisor('the number is reached', 'refused, or not reached in 40 s'),
  restart: ofSupervisor('the worker has a new process', 'there is no such worker, or its old process serves on'),
  stop: ofSupervisor('the supervisor has stopped', 'refused, or not stopped after an hour'),
  check: new Map([
    [0, 'nothing has to be mended; warnings may stand there'],
    [EXIT_FAILURE, 'something has to be mended, the configuration included'],
    USAGE,
    [EXIT_CONFIG, 'with --capacity: the configuration cannot be used'],
  ]),
  'dead list': onRedis('listed, also when there are none', 'Redis cannot be reached'),
  'dead show': onRedis('shown', 'there is no such letter, or Redis cannot be reached'),
  'dead replay': onRedis('done, also when none matched', 'Redis cannot be reached; what was moved before stays moved'),
  'dead purge': onRedis('done, also when none matched', 'Redis cannot be reached; what was deleted before is deleted'),
  send: onRedis('all were sent', 'not all were sent; the line on stderr says how many were'),
  certs: new Map([[0, 'made'], [EXIT_FAILURE, 'files are there already (--force), or cannot be written'], USAGE]),
  rollback: onRedis(
    'done, also when there was nothing',
    'a worker holds a lease (--force), or Redis cannot be reached',
  ),
  completion: new Map([[0, 'printed'], USAGE]),
};

function ofSupervisor(done: string, failed: string): ExitCodes {
  return new Map([[0, done], [EXIT_FAILURE, failed], USAGE, [EXIT_NO_SUPERVISOR, 'no supervisor is running'], CONFIG]);
}

function onRedis(done: string, failed: string): ExitCodes {
  return new Map([[0, done], [EXIT_FAILURE, failed], USAGE, CONFIG]);
}

/** Puts them under the help of each command. */
export function addExitCodes(program: Command, words: readonly string[] = []): void {
  for (const command of program.commands) {
    const path = [...words, command.name()];
    addExitCodes(command, path);
    const codes = EXIT_CODES[path.join(' ')];
    if (codes === undefined) continue;
    const lines = [...codes].map(([code, meaning]) => `  ${String(code).padEnd(3)} ${meaning}`);
    command.addHelpText('after', `\nExit codes:\n${lines.join('\n')}\n`);
  }
}
