import { connectOptions } from '../../../src/delivery/connect-options.js';
import { DeliveryPool } from '../../../src/delivery/exchange/pool.js';
import { ExchangesInFlight } from '../../../src/delivery/exchange/exchanges-in-flight.js';
import { HttpExchange } from '../../../src/delivery/exchange/http-exchange.js';
import { RequestProbe } from '../../../src/delivery/request-probe.js';
import { StatusClient } from '../../../src/delivery/status.js';
import { credentialsFor, type Credentials } from '../../../src/delivery/tls-credentials.js';
import { ABORTED, outcomeOfErrorCode } from '../../../src/domain/delivery-outcome.js';
import type { Life } from '../../../src/shared/life.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { testConfig } from '../../support/program/config.js';
import { newClient, tlsFiles, within } from '../../support/main-server/delivery.js';
import { conformsToLife } from '../../support/life.js';
import { useMainServer } from '../../support/main-server/main-server.js';

const certificates = useCertificates();
const main = useMainServer(certificates);
const never = new AbortController().signal;
const NOWHERE = 'https://127.0.0.1:1';

function configFor(url: string) {
  return testConfig({ mainServer: { url }, tls: tlsFiles(certificates.files) });
}

function credentials(): Credentials | undefined {
  return credentialsFor(configFor(NOWHERE), systemClock.wallNow());
}

function poolTo(url: string): DeliveryPool {
  const age = { maxAgeMs: 0, clock: systemClock, random: () => 0 };
  return new DeliveryPool({
    origin: url,
    connections: 2,
    deadlineMs: 1_000,
    connect: connectOptions(credentials()),
    age,
  });
}

function newExchange(end: (result: unknown) => void, signal = never): HttpExchange {
  const startMs = systemClock.now();
  return new HttpExchange({ startMs, untilMs: startMs + 30_000, signal, end });
}

/** These parts have no start: they live from their first use on, and that is what is started here. */
function holdToLife<Part extends Pick<Life, 'stop'>>(
  name: string,
  partFor: (url: string) => Part,
  use: (part: Part) => Promise<unknown>,
): void {
  const livingAt = (url: string): Life => {
    const part = partFor(url);
    return { start: async () => void (await use(part)), stop: () => part.stop() };
  };
  conformsToLife({ name, make: () => livingAt(main.server.url), makeFailing: () => livingAt(NOWHERE) });
}

holdToLife(
  'the client of the main server',
  (url) => newClient({ config: configFor(url), credentials: credentials() }),
  async (client) => {
    client.useCredentials(credentials()!);
    await Promise.all([client.deliver('a', never), client.probe()]);
  },
);

holdToLife(
  'the status client',
  (url) =>
    new StatusClient({
      pool: poolTo(url),
      basePath: '',
      healthEndpoint: '/health',
      clock: systemClock,
      outcomeOf: () => outcomeOfErrorCode('ECONNREFUSED', ''),
    }),
  (client) =>
    Promise.all([
      client.probe(),
      client.put('a', { status: 'queued', attemptCount: 1, errorMessage: '' }, within(1_000), never),
    ]),
);

holdToLife('the pool', poolTo, (pool) => {
  const request = { path: '/health', method: 'GET' as const };
  return Promise.all([
    new Promise((resolve) => pool.dispatch(request, newExchange(resolve))),
    new Promise((resolve) => pool.dispatchFresh(request, newExchange(resolve))),
  ]);
});

holdToLife(
  'the exchanges in flight',
  () => new ExchangesInFlight(250, systemClock),
  async (inFlight) => {
    const exchange = newExchange(() => inFlight.delete(exchange), new AbortController().signal);
    inFlight.add(exchange);
    exchange.cut(ABORTED);
    inFlight.add(newExchange(() => undefined));
  },
);

holdToLife(
  'the probe of check --capacity',
  (url) => {
    const { mainServer } = configFor(url);
    return new RequestProbe({
      mainServer,
      credentials: credentials(),
      path: '/health',
      connections: 2,
      clock: systemClock,
    });
  },
  (probe) => Promise.all([probe.get(never), probe.get(never)]),
);
