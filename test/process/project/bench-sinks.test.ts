/** The sinks of the benchmark are processes of their own, of the built program. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HttpsSink } from '../../../scripts/bench/sinks/https-sink.js';
import { OriginalSink } from '../../../scripts/bench/sinks/original-sink.js';
import { NginxSink } from '../../../scripts/bench/sinks/nginx-sink.js';
import { NGINX } from '../../../scripts/bench/sinks/open-sink.js';
import type { Sink } from '../../../scripts/bench/sinks/sink.js';
import { TimedSink } from '../../../scripts/bench/sinks/timed-sink.js';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { conformsToLife } from '../../support/life.js';
import { neededProgram } from '../../support/program/needed-program.js';

expectNoLeftovers();
const certificates = useCertificates();
const nginx = await neededProgram(NGINX);
let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sinks-'))));
afterAll(() => rm(folder, { recursive: true }));

const httpsSink = (failHalf = false) => new HttpsSink({ certificates: certificates.files, failHalf });
const nginxSink = (failHalf = false) =>
  new NginxSink({ nginx: nginx ?? '', folder, certificates: certificates.files, failHalf });
/** What it is to read is not there. */
const unreadable = (files: CertificateFiles) => ({ ...files, serverKey: join(folder, 'none.key') });

conformsToLife({
  name: 'the https sink',
  make: () => httpsSink(),
  makeFailing: () => new HttpsSink({ certificates: unreadable(certificates.files), failHalf: false }),
});
conformsToLife({
  name: 'the timed sink',
  make: () => new TimedSink(certificates.files),
  makeFailing: () => new TimedSink(unreadable(certificates.files)),
});
conformsToLife({
  name: 'the sink that behaves as the real main server',
  make: () => new OriginalSink(certificates.files, {}),
  makeFailing: () => new OriginalSink(unreadable(certificates.files), {}),
});
describe.skipIf(nginx === undefined)('with nginx', () => {
  conformsToLife({
    name: 'the nginx sink',
    make: () => nginxSink(),
    makeFailing: () =>
      new NginxSink({ nginx: '/no/such/program', folder, certificates: certificates.files, failHalf: false }),
  });
});

/** The status that a delivery gets. */
function deliver(url: string, files: CertificateFiles): Promise<number> {
  return new Promise((resolve, reject) => {
    const pem = (path: string) => readFileSync(path, 'utf8');
    const pair = { ca: pem(files.caCert), cert: pem(files.workerCert), key: pem(files.workerKey) };
    const sent = request(`${url}/internal/messages/deliver`, { method: 'POST', agent: false, ...pair });
    sent.once('error', reject);
    sent.once('response', (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.end(JSON.stringify({ message_id: 'a', worker_id: 'w' }));
  });
}

const sinks: readonly (readonly [string, (failHalf: boolean) => Sink])[] = [
  ['https', httpsSink],
  ...(nginx === undefined ? [] : [['nginx', nginxSink] as const]),
];

test.each(sinks)('%s: takes deliveries, counts them, and fails half when told to', async (_name, make) => {
  const sink = make(true);
  await sink.start();
  try {
    const statuses = [];
    for (let sent = 0; sent < 40; sent++) statuses.push(await deliver(sink.url, certificates.files));
    expect(await sink.requests()).toBe(40);
    // nginx fails at random: 40 alike come once in 10^12 runs
    expect([...new Set(statuses)].sort()).toEqual([200, 500]);
  } finally {
    await sink.stop();
  }
});

test('the timed sink says when each message came', async () => {
  const sink = new TimedSink(certificates.files);
  await sink.start();
  try {
    const arrived = sink.arrivals(1);
    expect(await deliver(sink.url, certificates.files)).toBe(200);
    await arrived;
    expect((await sink.take()).ids).toHaveLength(1);
    expect((await sink.take()).ids).toEqual([]);
  } finally {
    await sink.stop();
  }
});

test('the sink that behaves as the real main server says when it knew a message, and when it had delivered it', async () => {
  const sink = new OriginalSink(certificates.files, { unknownForMs: 3_600_000, poolSize: 30 });
  await sink.start();
  try {
    sink.enqueued(['a']);
    expect(await deliver(sink.url, certificates.files)).toBe(404);
    expect(await sink.delivered()).toBe(0);
    const { messages, most, frozen } = await sink.take();
    expect(messages).toEqual([
      { id: 'a', posts: 1, knownAtMs: expect.any(Number) as number, deliveredAtMs: undefined, tookMs: undefined },
    ]);
    expect({ most, frozen }).toEqual({ most: 1, frozen: 0 });
    expect((await sink.take()).messages).toEqual([]);
  } finally {
    await sink.stop();
  }
});
