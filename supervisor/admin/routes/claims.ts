import type { AskClaims } from '../documents/claims.js';
import { SCHEMA_VERSION } from '../protocol.js';
import { route, type Route } from '../route.js';

/** For the commands that show messages: what the workers here have begun of what they have claimed. */
export function claimsRoute(ask: AskClaims): Route {
  return route('claims', async () => ({
    status: 200,
    body: { schema_version: SCHEMA_VERSION, workers: await ask() },
  }));
}
