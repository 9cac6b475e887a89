import { isIPv6 } from 'node:net';

import type { HostPort } from '../config.js';
import { FormatError, type Format } from './format.js';
import { ANY_SCALAR, matching, port } from './scalar-formats.js';

/** Underscores are no host name to DNS, but Docker Compose gives such names to its services. */
const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$/;

/** IPv6 addresses may stand in brackets; the value has none. */
export const host: Format<string> = {
  expects: 'a host name or an address, without scheme and port',
  parse(text) {
    const name = text.trim();
    const bare = /^\[(.+)\]$/.exec(name)?.[1] ?? name;
    if (isIPv6(bare)) return bare;
    if (bare !== name || !HOST_NAME.test(name)) throw new FormatError();
    return name;
  },
  print: String,
  mask: maskUserInfo,
  schema: ANY_SCALAR,
};

/** `host:port,host:port`; IPv6 addresses in brackets. */
export const hostPorts: Format<readonly HostPort[]> = {
  expects: 'a list such as host-a:26379,host-b:26379',
  parse: (text) => text.split(',').map((entry) => parseHostPort(entry.trim())),
  print: (entries) => entries.map((entry) => `${bracketed(entry.host)}:${entry.port}`).join(','),
  mask: maskUserInfo,
  empty: [],
  schema: { type: 'string', pattern: String.raw`^\s*\S+:\d+\s*(,\s*\S+:\d+\s*)*$` },
};

function parseHostPort(entry: string): HostPort {
  const match = /^(\[.+\]|[^:]+):(\d+)$/.exec(entry);
  if (match?.[1] === undefined || match[2] === undefined) throw new FormatError();
  return { host: host.parse(match[1]), port: port.parse(match[2]) };
}

function bracketed(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}

/** Origin and optional base path; the slash at the end is removed, so that endpoints can be appended. */
export const httpUrl: Format<string> = {
  expects: 'an address such as https://host:8000, without user name, query and fragment',
  parse(text) {
    const given = text.trim();
    if (!/^https?:\/\/[^/\\]/i.test(given) || /[\s?#\\]/.test(given)) throw new FormatError();
    const url = URL.canParse(given) ? new URL(given) : undefined;
    if (url === undefined || url.username !== '' || url.password !== '' || /^https?:\/\/[^/]*@/i.test(given)) {
      throw new FormatError();
    }
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  },
  print: String,
  mask: (text) => maskUserInfo(text).replace(/[?#].*$/s, '?…'),
  schema: { type: 'string', pattern: String.raw`^\s*[hH][tT][tT][pP][sS]?://` },
};

export const endpoint = matching(
  /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/,
  'a path such as /internal/messages/deliver, starting with a slash and without query',
);

export const filePath: Format<string> = {
  expects: 'a path to a file',
  parse(text) {
    if (text.includes('\0') || text.trim() === '') throw new FormatError();
    return text;
  },
  print: String,
  empty: '',
  schema: ANY_SCALAR,
};

/** The slash at the end is removed (`logs/` and `logs` are one directory). */
export const directoryPath: Format<string> = {
  ...filePath,
  expects: 'a path to a directory',
  parse: (text) => filePath.parse(text).replace(/(?<=[^/\\:])[/\\]+$/, ''),
};

export const fileName = matching(/^(?!\.{1,2}$)[^/\\\0]+$/, 'the name of a file, without a directory');

function maskUserInfo(text: string): string {
  return text.replace(/^.*@/s, (userInfo) => `${/^[a-z]+:\/\//i.exec(userInfo)?.[0] ?? ''}***@`);
}
