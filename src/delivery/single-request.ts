/** One GET of the main server over a connection of its own, for an operator who wants to know. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Config } from '../shared/config/config.js';
import type { Clock } from '../shared/time/clock.js';
import { connectOptions } from './connect-options.js';
import { isNoSuchRoute as noRouteIn, outcomeOfStatus, type FailureReason } from '../domain/delivery-outcome.js';
import { outcomeOfError } from './connection-fault.js';
import type { Credentials } from './tls-credentials.js';

export interface SingleReply {
  readonly status: number;
  /** There is no such path: said by a framework or a proxy, and not by the application of a message. */
  readonly isNoSuchRoute: boolean;
  /** The handshake included. */
  readonly ms: number;
  /** The Date header, if it sends one. */
  readonly date: string | undefined;
}

/** There was no answer, and why. */
export interface NoReply {
  readonly reason: FailureReason;
  readonly problem: string;
}

const ANSWER_MS = 5_000;

/** @param credentials undefined for `http://`. */
export async function requestOnce(
  { url }: Pick<Config['mainServer'], 'url'>,
  endpoint: string,
  credentials: Credentials | undefined,
  clock: Clock,
): Promise<SingleReply | NoReply> {
  const connect = connectOptions(credentials);
  const agent = { http: new HttpAgent(), https: new HttpsAgent(connect) };
  const { got } = await import('got');
  const startMs = clock.now();
  try {
    const { statusCode, headers, body } = await got(url + endpoint, {
      agent,
      https: { rejectUnauthorized: connect.rejectUnauthorized ?? true },
      retry: { limit: 0 },
      throwHttpErrors: false,
      followRedirect: false,
      timeout: { request: ANSWER_MS },
    });
    const isNoSuchRoute = statusCode === 404 && noRouteIn(outcomeOfStatus(statusCode, body));
    return { status: statusCode, isNoSuchRoute, ms: Math.round(clock.now() - startMs), date: headers.date };
  } catch (error) {
    const outcome = outcomeOfError(error, credentials, clock.wallNow());
    if (outcome.kind !== 'failed') return { reason: 'other', problem: 'no answer' };
    return { reason: outcome.reason, problem: `${outcome.errorMessage} (${outcome.detail})` };
  } finally {
    agent.http.destroy();
    agent.https.destroy();
  }
}
