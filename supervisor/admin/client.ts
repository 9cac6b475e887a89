/** Talks to a running supervisor: over its socket, or over TCP when it is on another host. */
import { Agent, type AgentOptions } from 'node:http';
import { dirname } from 'node:path';
import { got, HTTPError, RequestError as HttpRequestError, TimeoutError } from 'got';

import { printable } from '../../src/shared/words/escape.js';
import { ControlError, NoSupervisorError } from './client-errors.js';
import { checkTrusted, RuntimeDirError } from './runtime-folder.js';
import { addressOf, OPERATOR_HEADER, ROUTES, type Answers, type Asked } from './protocol.js';

export type ControlAddress =
  | {
      readonly socketPath: string;
      /** Who asks, for the audit. */
      readonly who?: string;
      /** Whose folder it must lie in, when that is known. */
      readonly owner?: number | undefined;
    }
  | {
      /** `http://host:port`. */
      readonly url: string;
      /** Empty = none. */
      readonly token: string;
    };

export interface ControlClient {
  /** What changes something is waited for as long as the work takes. Rejects with NoSupervisorError or ControlError. */
  ask<Name extends keyof Answers>(name: Name, ...asked: Asked<Name>): Promise<Answers[Name]>;
  /** As `ask`, for what is no JSON. */
  text(name: 'metrics' | 'workerMetrics'): Promise<string>;
  close(): void;
}

const CONNECT_MS = 2_000;
const READING = { connect: CONNECT_MS, request: 5_000 };
/** A reload of as many workers as there can be (MOST_WORKERS), 15 s each, is over by then. */
const WORKING = { connect: CONNECT_MS, request: 8_000_000 };

const GONE = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT']);

export function createControlClient(address: ControlAddress): ControlClient {
  // The agent takes any path; in got's own `unix:` form a path with a colon or a percent sign is read wrongly.
  const agent = new Agent(connectOptionsOf(address));
  const http = got.extend({
    prefixUrl: 'url' in address ? address.url : 'http://localhost',
    agent: { http: agent },
    headers: headersFor(address),
    retry: { limit: 0 },
    followRedirect: false,
  });
  const readable = async <T>(answer: () => Promise<T>): Promise<T> => {
    try {
      if ('socketPath' in address && process.platform !== 'win32') {
        checkTrusted(dirname(address.socketPath), address.owner);
      }
      return await answer();
    } catch (error) {
      if (error instanceof RuntimeDirError) throw new ControlError(403, error.message, undefined);
      throw inOurWords(error, address);
    }
  };
  return {
    ask: (name, ...[fields]) => {
      const { url, body } = addressOf(ROUTES[name], fields);
      const { method } = ROUTES[name];
      const options = method === 'GET' ? { timeout: READING } : { json: body, timeout: WORKING };
      return readable(() => http(url, { method, ...options }).json());
    },
    text: (name) => readable(() => http(addressOf(ROUTES[name]).url, { timeout: READING }).text()),
    close: () => agent.destroy(),
  };
}

function headersFor(address: ControlAddress): Readonly<Record<string, string>> {
  if ('token' in address) return address.token === '' ? {} : { authorization: `Bearer ${address.token}` };
  return address.who === undefined ? {} : { [OPERATOR_HEADER]: encodeURIComponent(address.who) };
}

/** Agents hand everything to net.connect, which their types do not say. */
function connectOptionsOf(address: ControlAddress): AgentOptions & { readonly socketPath?: string } {
  return 'socketPath' in address ? { socketPath: address.socketPath } : {};
}

/** got's errors hold the token; nothing of them is passed on but code and status. */
function inOurWords(error: unknown, address: ControlAddress): Error {
  const where = 'url' in address ? address.url : address.socketPath;
  if (error instanceof HTTPError) {
    const body = parsed(error.response.body);
    const reason =
      typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : 'no reason given';
    return new ControlError(error.response.statusCode, printable(reason, 2_000), body);
  }
  if (error instanceof TimeoutError && error.event !== 'connect') {
    return new ControlError(
      0,
      `The supervisor at ${where} is there, but has not answered in time; try again.`,
      undefined,
    );
  }
  const code = error instanceof HttpRequestError ? error.code : '';
  if (code === 'EACCES' || code === 'EPERM') {
    return new ControlError(
      403,
      `The control socket ${where} belongs to another user; run this as that user.`,
      undefined,
    );
  }
  if (GONE.has(code)) {
    return new NoSupervisorError(
      `No supervisor answers at ${where} (${code}). Is it running, and are SUPERVISOR_PORT and SUPERVISOR_RUNTIME_DIR the same here?`,
    );
  }
  return new ControlError(
    0,
    `What answers at ${where} is no supervisor of ours (${code || 'unreadable answer'}).`,
    undefined,
  );
}

function parsed(body: unknown): unknown {
  try {
    return JSON.parse(String(body));
  } catch {
    return undefined;
  }
}
