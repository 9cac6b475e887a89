/** One GET of the main server's health endpoint over a connection of its own, for an operator who wants to know. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Config } from '../shared/config/config.js';
import type { Clock } from '../shared/time/clock.js';
import { connectOptions } from './connect-options.js';
import { outcomeOfError } from './connection-fault.js';
import type { Credentials } from './tls-credentials.js';

export interface HealthReply {
  readonly status: number;
  /** The handshake included. */
  readonly ms: number;
  /** The Date header, if it sends one. */
  readonly date: string | undefined;
}

const ANSWER_MS = 5_000;

/** @returns why there was no answer, in its place. @param credentials undefined for `http://`. */
export async function requestHealth(
  { url, healthEndpoint }: Config['mainServer'],
  credentials: Credentials | undefined,
  clock: Clock,
): Promise<HealthReply | string> {
  const connect = connectOptions(credentials);
  const agent = { http: new HttpAgent(), https: new HttpsAgent(connect) };
  const { got } = await import('got');
  const startMs = clock.now();
  try {
    const { statusCode, headers } = await got(url + healthEndpoint, {
      agent,
      https: { rejectUnauthorized: connect.rejectUnauthorized ?? true },
      retry: { limit: 0 },
      throwHttpErrors: false,
      followRedirect: false,
      timeout: { request: ANSWER_MS },
    });
    return { status: statusCode, ms: Math.round(clock.now() - startMs), date: headers.date };
  } catch (error) {
    const outcome = outcomeOfError(error, credentials, clock.wallNow());
    return outcome.kind === 'failed' ? `${outcome.errorMessage} (${outcome.detail})` : 'no answer';
  } finally {
    agent.http.destroy();
    agent.https.destroy();
  }
}
