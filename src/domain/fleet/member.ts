/** What a supervisor, or a worker alone, says of itself in Redis: a field of a hash, `<host>/<instance>`. Pure. */

/** `stopped` is the last word of a clean stop. */
export const MEMBER_STATES = ['starting', 'running', 'reloading', 'stopping', 'stopped'] as const;
export type MemberState = (typeof MEMBER_STATES)[number];

export interface Presence {
  readonly kind: 'supervisor' | 'worker';
  readonly pid: number;
  readonly version: string;
  readonly state: MemberState;
  /** Messages are taken; else `reason` says why not. */
  readonly isReady: boolean;
  readonly reason?: string | undefined;
  readonly workersReady: number;
  readonly workersWanted: number;
  readonly deliveredPerSecond: number;
  /** Attempts. */
  readonly failedPerSecond: number;
  readonly uptimeSeconds: number;
}

/** Where it stands. */
export interface MemberName {
  readonly host: string;
  /** What tells the supervisors and workers of one host apart. */
  readonly instance: string;
}

/** A word of a member, as it was found. */
export interface Member extends Presence, MemberName {
  /** The process that wrote it: a name that is never used again. */
  readonly writer: string;
  /** By Redis's clock, ms since the Unix epoch. */
  readonly saidAt: number;
}

/** A word has at most some 900 bytes, a name 400. */
const REASON_LENGTH = 200;
const WORD_LENGTH = 60;
const NAME_LENGTH = 64;
/** A thousand years, so that whatever stands there can be shown as a time: so can the 15 digits of ms. */
const LONGEST_S = 3e10;

/** @param host without a slash, as the kernel gives it. */
export function memberField({ host, instance }: MemberName): string {
  return `${cut(host.replaceAll('/', '-'), NAME_LENGTH)}/${cut(instance, NAME_LENGTH)}`;
}

export function presenceText(presence: Presence): string {
  const { version, reason } = presence;
  return JSON.stringify({
    ...presence,
    version: cut(version, WORD_LENGTH),
    reason: reason === undefined ? undefined : cut(reason, REASON_LENGTH),
    deliveredPerSecond: rounded(presence.deliveredPerSecond),
    failedPerSecond: rounded(presence.failedPerSecond),
    uptimeSeconds: Math.floor(presence.uptimeSeconds),
  });
}

/** @param text `<ms> <writer> <JSON>`. @returns undefined for what no member has written. */
export function readMember(field: string, text: string): Member | undefined {
  const [, host, instance] = /^([^/]*)\/(.*)$/s.exec(field) ?? [];
  const [, at, writer, json] = /^(\d{1,15}) (\S+) (.*)$/s.exec(text) ?? [];
  const said = parsed(json ?? '');
  if (host === undefined || instance === undefined || writer === undefined || !said) return undefined;
  const state = MEMBER_STATES.find((one) => one === said['state']);
  if (state === undefined) return undefined;
  const { reason, version } = said;
  return {
    ...{ host, instance, writer, state, saidAt: Number(at) },
    kind: said['kind'] === 'worker' ? 'worker' : 'supervisor',
    version: typeof version === 'string' ? version : '',
    isReady: said['isReady'] === true,
    reason: typeof reason === 'string' ? reason : undefined,
    pid: number(said['pid']),
    workersReady: number(said['workersReady']),
    workersWanted: number(said['workersWanted']),
    deliveredPerSecond: number(said['deliveredPerSecond']),
    failedPerSecond: number(said['failedPerSecond']),
    uptimeSeconds: Math.min(LONGEST_S, number(said['uptimeSeconds'])),
  };
}

function parsed(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(json) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(0, value) : 0;
}

function rounded(rate: number): number {
  return Math.round(rate * 10) / 10;
}

/** A surrogate that lost its other half would not be UTF-8. */
function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}
