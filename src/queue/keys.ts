import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { ConfigError } from '../shared/errors.js';

/** The names of everything we keep in Redis. They carry the queue's hash tag, so all live in one cluster slot. */
export interface RedisKeys {
  readonly queue: string;
  readonly retry: string;
  /** List: where earlier versions bury. Its letters are moved to the next two. */
  readonly dead: string;
  /** Sorted set: a line for each dead letter, by time of death. */
  readonly deadIndex: string;
  /** Hash: the letters, by the first word of their lines. */
  readonly deadLetters: string;
  /** String: who deletes dead letters that are old, for the whole fleet. */
  readonly deadExpirer: string;
  /** Sorted set: lines of the dead letters of which the main server has not heard, by next try. */
  readonly untold: string;
  readonly consumers: string;
  /** String: while it is there, nobody begins a delivery. */
  readonly paused: string;
  /** Hash: consumer → the id of the pause that it keeps. */
  readonly pausedSeen: string;
  /** Hash: sha1 of a message → process deaths it was in flight at. Exists only after a crash. */
  readonly crashes: string;
  /** Hash: consumer → what it may have in flight of what the fleet may. Exists only with a cap. */
  readonly shares: string;
  /** String: who looks for lists of consumers that nobody knows. */
  readonly searcher: string;
  /** Hash: what may be claimed now, of what may be claimed in a second. Exists only with a rate. */
  readonly rate: string;
  /** Hash: message id → its last failed attempts, a line each (domain/failures/failed-attempt.ts). */
  readonly failures: string;
  /** String: the failures were looked through for old ones within the last hour. */
  readonly failuresSwept: string;
  /** Hash: what fails in common → how often in this hour (domain/failures/failure-group.ts). `2025-01-15T10`, in UTC. */
  failuresIn(hour: string): string;
  /** Stream: what operators did. */
  readonly audit: string;
  /** Hash: what of the history holds now, such as how many messages have arrived in all. */
  readonly history: string;
  /** Hash: who writes the history → what of its counts is written. */
  readonly historyWriters: string;
  /** Hash: `hh:mm` of a day (`2026-11-26`), or `dd hh` of a month (`2026-11`) → a line of the history. */
  historyOf(time: string): string;
  /** Hash: `<host>/<instance>` → what a supervisor, or a worker alone, says of itself (domain/fleet/member.ts). */
  readonly fleet: string;
  /** String: what the side books take, in bytes; measured within the last half minute. */
  readonly sideBooks: string;
  processing(consumer: string): string;
}

/** @throws ConfigError for a name whose keys would be another queue's, or lie in several slots. */
export function redisKeys(queue: string): RedisKeys {
  if (!isOwnName(queue)) {
    const problem = `REDIS_QUEUE_NAME: ${JSON.stringify(queue)} would share or scatter its keys: use no braces, or one pair around a part of the name`;
    throw new ConfigError([problem]);
  }
  const prefix = queue.includes('{') ? queue : `{${queue}}`;
  return {
    queue,
    retry: `${prefix}:retry`,
    dead: `${prefix}:dead`,
    deadIndex: `${prefix}:dead:index`,
    deadLetters: `${prefix}:dead:letters`,
    deadExpirer: `${prefix}:dead:expirer`,
    untold: `${prefix}:untold`,
    consumers: `${prefix}:consumers`,
    crashes: `${prefix}:crashes`,
    shares: `${prefix}:shares`,
    searcher: `${prefix}:searcher`,
    paused: `${prefix}:paused`,
    pausedSeen: `${prefix}:paused:seen`,
    rate: `${prefix}:rate`,
    failures: `${prefix}:failures`,
    failuresSwept: `${prefix}:failures:swept`,
    failuresIn: (hour) => `${prefix}:failures:${hour}`,
    audit: `${prefix}:audit`,
    history: `${prefix}:history`,
    historyWriters: `${prefix}:history:writers`,
    historyOf: (time) => `${prefix}:history:${time}`,
    fleet: `${prefix}:fleet`,
    sideBooks: `${prefix}:side-books`,
    processing: (consumer) => `${prefix}:processing:${consumer}`,
  };
}

export type KeyType = 'list' | 'sorted set' | 'hash' | 'string' | 'stream';

/** What is kept under a key of ours. */
export function typeOf(key: string): KeyType {
  if (/\}[^}]*:(?:retry|consumers|dead:index|untold)$/.test(key)) return 'sorted set';
  if (/\}[^}]*:(?:paused|searcher|dead:expirer|failures:swept|side-books)$/.test(key)) return 'string';
  if (/\}[^}]*:audit$/.test(key)) return 'stream';
  return /\}[^}]*:(?:crashes|dead:letters|shares|paused:seen|rate|fleet|(?:failures|history)(?::[^:]+)?)$/.test(key)
    ? 'hash'
    : 'list';
}

/**
 * Redis Cluster hashes what stands between the first `{` and the first `}` after it, unless that is empty. A name with such
 * a part is the prefix of its own keys; `{x}` alone would have those of `x`, and `{x}:retry` would be one of them.
 */
function isOwnName(name: string): boolean {
  if (!/[{}]/.test(name)) return name !== '';
  const parts = /^([^{}]*)\{[^{}]+\}([^{}]*)$/.exec(name);
  if (!parts || parts[1] + (parts[2] ?? '') === '') return false;
  const ours =
    /:(?:retry|dead|untold|consumers|crashes|shares|paused|searcher|rate|fleet|failures|side-books|audit|history|processing)(?::|$)/;
  return !ours.test(parts[2] ?? '');
}

/**
 * A consumer is one incarnation of one worker: `<worker id>@<host>/<scope>.<pid>.<nonce>`.
 *
 * `scope` stands for the boot and the PID namespace the pid belongs to, so that a process of the same scope can ask the
 * kernel whether the consumer still lives, and two containers of one host never mistake each other's pids.
 */
export function consumerName(workerId: string, pid: number, nonce: string): string {
  return `${workerId}@${hostname()}/${processScope()}.${pid}.${nonce}`;
}

/** Whose claims these are, as an operator knows it; a name of another form is taken for the worker's. */
export function ownerOf(consumer: string): { readonly workerId: string; readonly host: string | undefined } {
  const [, workerId = consumer, host] = /^(.*)@([^@/]*)\/[0-9a-f]+\.\d+\.[^.]*$/s.exec(consumer) ?? [];
  return { workerId, host };
}

/** The pid of a consumer of this very boot and PID namespace; undefined for all others. */
export function localPid(consumer: string): number | undefined {
  const match = /@([^@/]*)\/([0-9a-f]+)\.(\d+)\.[^.]*$/.exec(consumer);
  if (!match || match[1] !== hostname() || match[2] !== processScope()) return undefined;
  return Number(match[3]);
}

let scope: string | undefined;

function processScope(): string {
  scope ??= createHash('sha1')
    .update(readOr('', () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')))
    .update(readOr('', () => readlinkSync('/proc/self/ns/pid')))
    .digest('hex')
    .slice(0, 12);
  return scope;
}

function readOr(fallback: string, read: () => string): string {
  try {
    return read();
  } catch {
    return fallback;
  }
}
