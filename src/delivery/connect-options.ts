import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Credentials } from './tls-credentials.js';

/** For tls.connect. The context is built once: from PEM texts it would be built again for each connection. */
export interface ConnectOptions {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: boolean;
}

/** MAIN_SERVER_VERIFY_SSL=false stops the verification and keeps the client certificate. */
export function connectOptions(credentials: Credentials | undefined): ConnectOptions {
  if (!credentials) return {};
  const { ca, cert, key, verify } = credentials;
  const secureContext = createSecureContext({ ca, cert, key, minVersion: 'TLSv1.2' });
  return { secureContext, rejectUnauthorized: verify };
}

/** Node tries the addresses of a host in turn, 250 ms each: less than a connection over a slow line takes. */
const ADDRESS_TRY_MS = 2_000;

/** For every connection of this process, also those to Redis; hence it is called by whoever composes the process. */
export function giveAddressesTime(): void {
  setDefaultAutoSelectFamilyAttemptTimeout(ADDRESS_TRY_MS);
}
