import { requestOnce, type NoReply, type SingleReply } from '../../src/delivery/single-request.js';
import { credentialsFor, type Credentials } from '../../src/delivery/tls-credentials.js';
import { certificateWarnings } from '../../src/domain/certificate-expiry.js';
import type { Config } from '../../src/shared/config/config.js';
import { reasonOf } from '../../src/shared/errors.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { CAUSE, noRoute } from '../../src/shared/words/causes.js';
import { clockFinding, fail, ok, warn, type Finding } from './finding.js';

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
  return [...certificateFindings(credentials, clock), ...(await healthFindings(config, credentials, clock))];
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

async function healthFindings(config: Config, credentials: Credentials | undefined, clock: Clock): Promise<Finding[]> {
  const { url, healthEndpoint } = config.mainServer;
  const reply = await requestOnce(config.mainServer, healthEndpoint, credentials, clock);
  if ('problem' in reply) {
    return [
      fail(
        'main server',
        `the ${CAUSE.mainServer}: Failed to connect to main server ${url}: ${reply.problem}`,
        adviceFor(reply, config),
      ),
    ];
  }
  const skewMs = Date.parse(reply.date ?? '') - clock.wallNow();
  return [
    statusFinding(config.mainServer, reply),
    await routeFinding(config.mainServer, credentials, clock),
    ...(Number.isNaN(skewMs) ? [] : [clockFinding('main server clock', skewMs, DATE_DOUBT_MS + reply.ms)]),
  ];
}

function adviceFor({ reason }: NoReply, { mainServer: { url }, tls }: Config): string {
  const handshake = `openssl s_client -connect ${new URL(url).host} -cert ${tls.certFile} -key ${tls.keyFile} -CAfile ${tls.caFile}`;
  if (reason === 'connection_refused') return 'Start it, or correct MAIN_SERVER_URL.';
  if (reason === 'dns') return "Correct the host in MAIN_SERVER_URL, or mend the name's entry in DNS.";
  if (reason === 'timeout' || reason === 'unreachable') {
    return 'Look at the network and firewalls between here and there, and at its load; or correct MAIN_SERVER_URL.';
  }
  if (reason === 'tls') {
    return `It runs. Its certificate must be of the authority in CA_CERT_PATH and name the host in MAIN_SERVER_URL, and it must take ours. Try: ${handshake}`;
  }
  if (reason === 'connection_reset') {
    return `It runs, and closes the connection: does it take our certificate? Try: ${handshake}`;
  }
  return `Look into its log. Try: ${handshake}`;
}

/** Nothing is delivered by a GET: where the route is, the answer is 405. */
async function routeFinding(
  mainServer: Config['mainServer'],
  credentials: Credentials | undefined,
  clock: Clock,
): Promise<Finding> {
  const { url, deliverEndpoint } = mainServer;
  const reply = await requestOnce(mainServer, deliverEndpoint, credentials, clock);
  if ('problem' in reply)
    return fail('main server route', `${deliverEndpoint}: ${reply.problem}`, 'Look into the log of the main server.');
  if (reply.isNoSuchRoute)
    return fail(
      'main server route',
      noRoute(url, deliverEndpoint),
      'Set MAIN_SERVER_DELIVER_ENDPOINT to the path of its delivery request; nothing is delivered until then.',
    );
  return ok('main server route', `${url} has ${deliverEndpoint}`);
}

function statusFinding({ url, healthEndpoint }: Config['mainServer'], { status, ms }: SingleReply): Finding {
  if (status === 404) {
    return warn(
      'main server',
      `${url} answers, and has no ${healthEndpoint}`,
      'Name its health endpoint in MAIN_SERVER_HEALTH_ENDPOINT; outages are probed with messages until then.',
    );
  }
  if (status < 200 || status > 299) {
    return fail('main server', `${url}${healthEndpoint} answers ${status}`, 'Look into the log of the main server.');
  }
  if (ms > 1_000)
    return warn(
      'main server',
      `${url} is healthy, and took ${ms} ms to say so`,
      'Deliveries will be slow; look at its load and the network.',
    );
  return ok('main server', `${url} is healthy (${ms} ms)`);
}
