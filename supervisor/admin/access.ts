/**
 * Who may do what over TCP. The unix socket needs none of this: its mode lets only the supervisor's own user in.
 *
 * A web page can make its visitor's browser send requests here. It cannot read the answers of another origin, unless its
 * own name is made to resolve to our address (DNS rebinding): then the Host header has that name, so only our own names
 * and literal addresses are served. Whoever listens on all addresses has chosen to be read by the network under any name.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { ROUTES, type Place } from './protocol.js';
import { RequestError } from './route.js';

interface AccessRules {
  /** SUPERVISOR_HOST. */
  readonly bindHost: string;
  /** Empty = nothing can be changed over TCP. */
  readonly adminToken: string;
}

/** Lower-case names, as node:http gives them. */
interface RequestHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly authorization?: string | undefined;
}

/** Load balancers probe by HTTP/1.0, which needs no Host header. A browser always sends one. */
const NAMELESS = new Set<string>([ROUTES.health.path, ROUTES.ready.path]);
const EVERY_ADDRESS = new Set(['0.0.0.0', '::']);

/** @throws RequestError 401 or 403. */
export function checkAccess({ access, path }: Place, headers: RequestHeaders, rules: AccessRules): void {
  if (headers.host === undefined && NAMELESS.has(path)) return;
  if (!isOurName(hostOf(headers.host), rules.bindHost)) {
    throw new RequestError(
      403,
      `The Host header names none of this supervisor's names; ask for localhost or ${rules.bindHost}.`,
    );
  }
  if (access === 'open') return;
  if (access === 'socket') throw new RequestError(403, 'This is answered on the control socket only.');
  if (headers.origin !== undefined && !isSameOrigin(headers.origin, headers.host)) {
    throw new RequestError(403, 'The request comes from a page of another origin.');
  }
  if (rules.adminToken === '') {
    throw new RequestError(
      403,
      'Nothing can be changed over TCP: set SUPERVISOR_ADMIN_TOKEN, or use the command on this host.',
    );
  }
  const [scheme, token, ...rest] = (headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || rest.length > 0 || !same(token, rules.adminToken)) {
    throw new RequestError(401, 'The bearer token is missing or wrong; it must be SUPERVISOR_ADMIN_TOKEN.', {
      'www-authenticate': 'Bearer',
    });
  }
}

function isOurName(host: string | undefined, bindHost: string): boolean {
  if (host === undefined) return false;
  if (EVERY_ADDRESS.has(bindHost) || isIP(host) > 0) return true;
  return [bindHost, 'localhost', hostname()].some((name) => name.toLowerCase() === host);
}

/** Without port and brackets, in lower case; undefined when it is no host. */
function hostOf(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/@?#[\]]+))(?::\d{1,5})?$/i.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  try {
    return new URL(origin).host === new URL(`http://${host}`).host;
  } catch {
    return false;
  }
}

/** In constant time, whatever the lengths. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
