/** What a running supervisor leaves in a file, so that commands find it from any folder. No secret is in it. */
import { readFileSync } from 'node:fs';

import { consumerName, localPid, ownerOf } from '../../src/queue/keys.js';
import { isRunning } from '../workers/process/process-running.js';

export interface Instance {
  /** Tells host, boot, PID namespace, pid and start: a pid alone may be another program's by now. */
  readonly process: string;
  /** Which instance of its user: SUPERVISOR_PORT. */
  readonly port: number;
  readonly queue: string;
  /** Where it was started; its relative paths mean that folder. */
  readonly directory: string;
  /** Control socket. */
  readonly socket: string;
  /** The files that it read; null where there was none. */
  readonly config_file: string | null;
  readonly env_file: string | null;
  readonly version: string;
}

/** Of this very process. */
export function processName(): string {
  return consumerName('supervisor', process.pid, startOf(process.pid));
}

export function instanceText(instance: Instance): string {
  return `${JSON.stringify({ schema_version: 1, ...instance }, null, 2)}\n`;
}

/** Undefined when it is no such text. */
export function parseInstance(text: string): Instance | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isInstance(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isInstance(value: unknown): value is Instance {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  const isText = (name: string): boolean => typeof fields[name] === 'string';
  const isTextOrNull = (name: string): boolean => fields[name] === null || isText(name);
  return (
    ['process', 'queue', 'directory', 'socket', 'version'].every(isText) &&
    ['config_file', 'env_file'].every(isTextOrNull) &&
    Number.isInteger(fields['port'])
  );
}

/** Its pid; undefined when it is not of this host, boot and PID namespace. */
export function pidOf({ process }: Pick<Instance, 'process'>): number | undefined {
  return localPid(process);
}

/** `elsewhere`: another host's, in a home that both share; nothing can be said of it here. */
export function stateOf(instance: Pick<Instance, 'process'>, host: string): 'running' | 'dead' | 'elsewhere' {
  if (ownerOf(instance.process).host !== host) return 'elsewhere';
  const pid = pidOf(instance);
  if (pid === undefined || !isRunning(pid)) return 'dead';
  const started = instance.process.slice(instance.process.lastIndexOf('.') + 1);
  const now = startOf(pid);
  return started === '' || now === '' || started === now ? 'running' : 'dead';
}

/** When the kernel started it, in ticks since the boot: field 22; empty where there is no /proc. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
