import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

import { CAUSE } from '../../src/shared/words/causes.js';
import { outcomeOfError } from '../../src/delivery/connection-fault.js';
import { connectOptions } from '../../src/delivery/connect-options.js';
import { credentialsFor, type Credentials } from '../../src/delivery/tls-credentials.js';
import { certificateWarnings } from '../../src/domain/certificate-expiry.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';
import { reasonOf } from '../../src/shared/errors.js';
import { clockFinding, fail, ok, warn, type Finding } from './finding.js';

const ANSWER_MS = 5_000;
/** The Date header has whole seconds. */
const DATE_DOUBT_MS = 1_000;

/** Our certificates, then a real handshake and GET of the health endpoint. Never rejects. */
export async function checkMainServer(config: Config, clock: Clock): Promise<Finding[]> {
  let credentials: Credentials | undefined;
  try {
    credentials = credentialsFor(config, clock.wallNow());
  } catch (error) {
    return [
      fail(
        'certificates',
        reasonOf(error),
        'Put the files there, or name them in WORKER_CERT_PATH, WORKER_KEY_PATH and CA_CERT_PATH; "message-broker-worker certs" makes some for development.',
      ),
    ];
  }
  return [...certificateFindings(credentials, clock), ...(await probe(config, credentials, clock))];
}

function certificateFindings(credentials: Credentials | undefined, clock: Clock): Finding[] {
  if (!credentials)
    return [warn('certificates', 'not used: MAIN_SERVER_URL is http://', 'Use https:// outside of development.')];
  const expiring = certificateWarnings(credentials, clock.wallNow());
  if (expiring.length > 0)
    return expiring.map((text) => warn('certificates', text, 'Renew it, then "message-broker-worker reload".'));
  if (!credentials.verify) {
    return [
      warn(
        'certificates',
        'MAIN_SERVER_VERIFY_SSL is false: any server is believed',
        'Set it to true outside of development.',
      ),
    ];
  }
  const dates = credentials.notAfter.map(
    ({ file, notAfter }) => `${file} until ${new Date(notAfter).toISOString().slice(0, 10)}`,
  );
  return [ok('certificates', `${dates.join(', ')}; they fit together, the key is private`)];
}

async function probe(config: Config, credentials: Credentials | undefined, clock: Clock): Promise<Finding[]> {
  const { url, healthEndpoint } = config.mainServer;
  const connect = connectOptions(credentials);
  const agent = { http: new HttpAgent(), https: new HttpsAgent(connect) };
  const { got } = await import('got');
  const startedAt = clock.now();
  try {
    const { statusCode, headers } = await got(url + healthEndpoint, {
      agent,
      https: { rejectUnauthorized: connect.rejectUnauthorized ?? true },
      retry: { limit: 0 },
      throwHttpErrors: false,
      followRedirect: false,
      timeout: { request: ANSWER_MS },
    });
    const ms = Math.round(clock.now() - startedAt);
    const dated = Date.parse(headers.date ?? '');
    return [
      statusFinding(url, healthEndpoint, { statusCode, ms }),
      ...(Number.isNaN(dated) ? [] : [clockFinding('main server clock', dated - clock.wallNow(), DATE_DOUBT_MS + ms)]),
    ];
  } catch (error) {
    const outcome = outcomeOfError(error, credentials, clock.wallNow());
    const why = outcome.kind === 'failed' ? `${outcome.errorMessage} (${outcome.detail})` : 'no answer';
    return [
      fail(
        'main server',
        `the ${CAUSE.mainServer}: Failed to connect to main server ${url}: ${why}`,
        `Is it running, is MAIN_SERVER_URL right, and does it take our certificate? Try: openssl s_client -connect ${new URL(url).host} -cert ${config.tls.certFile} -key ${config.tls.keyFile} -CAfile ${config.tls.caFile}`,
      ),
    ];
  } finally {
    agent.http.destroy();
    agent.https.destroy();
  }
}

function statusFinding(url: string, endpoint: string, { statusCode, ms }: { statusCode: number; ms: number }): Finding {
  if (statusCode === 404) {
    return warn(
      'main server',
      `${url} answers, and has no ${endpoint}`,
      'Name its health endpoint in MAIN_SERVER_HEALTH_ENDPOINT; outages are probed with messages until then.',
    );
  }
  if (statusCode < 200 || statusCode > 299) {
    return fail('main server', `${url}${endpoint} answers ${statusCode}`, 'Look into the log of the main server.');
  }
  if (ms > 1_000)
    return warn(
      'main server',
      `${url} is healthy, and took ${ms} ms to say so`,
      'Deliveries will be slow; look at its load and the network.',
    );
  return ok('main server', `${url} is healthy (${ms} ms)`);
}
