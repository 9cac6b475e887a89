import { connectOptions } from '../../../src/delivery/connect-options.js';
import { DeliveryPool } from '../../../src/delivery/pool.js';
import { DeliveryPost } from '../../../src/delivery/post.js';
import { PostsInFlight } from '../../../src/delivery/posts-in-flight.js';
import { RequestProbe } from '../../../src/delivery/request-probe.js';
import { StatusClient } from '../../../src/delivery/status.js';
import { credentialsFor, type Credentials } from '../../../src/delivery/tls-credentials.js';
import { ABORTED, outcomeOfErrorCode } from '../../../src/domain/delivery-outcome.js';
import type { Life } from '../../../src/shared/life.js';
import { systemClock } from '../../../src/shared/time/clock.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { testConfig } from '../../support/program/config.js';
import { newClient, tlsFiles } from '../../support/main-server/delivery.js';
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
      url,
      healthEndpoint: '/health',
      connections: 2,
      connect: connectOptions(credentials()),
      clock: systemClock,
      outcomeOf: () => outcomeOfErrorCode('ECONNREFUSED', ''),
    }),
  (client) =>
    Promise.all([
      client.probe(),
      client.put('a', { status: 'queued', attemptCount: 1, errorMessage: '' }, 1_000, never),
    ]),
);

holdToLife(
  'the pool',
  (url) => new DeliveryPool({ origin: url, connections: 2, deadlineMs: 1_000, connect: connectOptions(credentials()) }),
  (pool) => {
    const request = { path: '/health', method: 'GET' as const };
    return Promise.all([
      new Promise((resolve) => pool.dispatch(request, new DeliveryPost(0, never, resolve))),
      new Promise((resolve) => pool.dispatchFresh(request, new DeliveryPost(0, never, resolve))),
    ]);
  },
);

holdToLife(
  'the posts in flight',
  () => new PostsInFlight(30_000, systemClock),
  async (posts) => {
    const post = new DeliveryPost(systemClock.now(), new AbortController().signal, () => posts.delete(post));
    posts.add(post);
    post.cut(ABORTED);
    posts.add(new DeliveryPost(systemClock.now(), never, () => undefined));
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
