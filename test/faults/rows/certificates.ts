/** Row 27: certificates that are expired, foreign, mismatched or half-written. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMainServer } from '../../../scripts/main-server.js';
import { makeCertificates, validFor } from '../../../supervisor/certificates/certificates.js';
import type { Fleet } from '../../support/fleet.js';
import { pemsOf } from '../../support/main-server.js';
import { waitFor } from '../../support/wait-for.js';
import type { Findings, Row } from '../support/row.js';
import { pidsOf, type Stage } from '../support/stage.js';

const CONCURRENCY = 4;
const SETTINGS = { WORKER_COUNT: 1, WORKER_CONCURRENCY: CONCURRENCY, WORKER_RETRY_INTERVAL: 3 };
/** A client certificate so short that it ends while the row runs; certificates count in whole seconds. */
const SHORT_LIFE_MS = 12_000;

export const CERTIFICATE_ROWS: readonly Row[] = [
  {
    id: '27a',
    fault: 'main server shows a certificate that is expired, of another host, of another CA',
    bound: 'nothing sent, reason tls, breaker open ≤ 10 failures; mended by SIGHUP',
    run: wrongServer,
  },
  {
    id: '27b',
    fault: 'client certificate expires while running',
    bound: 'the log names it, breaker instead of attempts; new pair by SIGHUP',
    run: clientExpires,
  },
  {
    id: '27c',
    fault: 'rotation under load: half-written pair, key of another pair, then the right one; SIGHUP each time',
    bound: 'bad ones keep the old pair, new pair in use < 10 s, 0 failed deliveries',
    limits: { recoveryMs: 10_000 },
    run: rotation,
  },
];

async function wrongServer(stage: Stage): Promise<Findings> {
  const { authority } = stage.certificates;
  const wrong = {
    expired: { authority, serverValidity: validFor(-1) },
    'of another host': { authority, hosts: ['example.org'] },
    'of another CA': {},
  };
  let fleet: Fleet | undefined;
  for (const [what, options] of Object.entries(wrong)) {
    const files = await makeCertificates({ ...options, directory: join(stage.folder, what.replaceAll(' ', '-')) });
    const bad = await startMainServer({
      tls: { ...pemsOf(files), ca: readFileSync(stage.certificates.caCert, 'utf8') },
    });
    stage.onClose(() => bad.close());
    const settings = { ...SETTINGS, MAIN_SERVER_URL: bad.url };
    if (fleet) {
      fleet.configure(settings);
      fleet.program.signal('SIGHUP');
      await reloaded(fleet);
    } else {
      fleet = await stage.start(settings);
    }
    await stage.ledger.produce(40);
    await fleet.until(`an open breaker (${what})`, ({ workers }) => workers[0]?.breaker === 'open', 20_000);
    stage.expect(bad.ledger.posts === 0, `a message was sent to a server whose certificate is ${what}`);
  }
  const failures = fleet?.logged().match(/delivery failed, will retry/g)?.length ?? 0;
  stage.expect(failures <= 3 * (10 + CONCURRENCY - 1), `${failures} failures`);
  const metrics = (await fleet?.get('/metrics/workers')) ?? '';
  stage.expect(/worker_messages_failed_total\{[^}]*reason="tls"/.test(metrics), 'the reason is not tls');
  fleet?.configure(SETTINGS);
  fleet?.program.signal('SIGHUP');
  return { note: `${failures} failures` };
}

async function reloaded(fleet: Fleet): Promise<void> {
  const before = (await fleet.status()).supervisor;
  const total = before.reloads_failed + before.reloads_succeeded;
  const isDone = async () => {
    const { reloads_failed: failed, reloads_succeeded: succeeded } = (await fleet.status()).supervisor;
    return failed + succeeded > total;
  };
  await waitFor(isDone, { what: 'the reload', deadlineMs: 30_000 });
}

async function clientExpires(stage: Stage): Promise<Findings> {
  const { authority, workerCert, workerKey } = stage.certificates;
  const notBefore = new Date(Date.now() - 3_600_000);
  const short = await makeCertificates({
    authority,
    directory: join(stage.folder, 'short'),
    workerValidity: { notBefore, notAfter: new Date(Date.now() + SHORT_LIFE_MS) },
  });
  const fleet = await stage.start(SETTINGS, { prepareOnly: true });
  fleet.useCertificate({ ...short, caCert: stage.certificates.caCert });
  fleet.startAgain();
  await fleet.ready(1);
  // nothing is sent before it ends: a session that was resumed would be let in without a look at the certificate
  await sleep(SHORT_LIFE_MS);
  await stage.ledger.produce(60);
  await fleet.until('an open breaker', ({ workers }) => workers[0]?.breaker !== 'closed', 20_000);
  stage.expect(/certificate.*expired|expired.*certificate/i.test(fleet.logged()), 'the log does not name it');
  copyFileSync(workerCert, join(fleet.cwd, 'certs', 'worker.crt'));
  copyFileSync(workerKey, join(fleet.cwd, 'certs', 'worker.key'));
  fleet.program.signal('SIGHUP');
  return {};
}

async function rotation(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_COUNT: 2 });
  await fleet.ready(2);
  const before = await pidsOf(fleet);
  const next = await makeCertificates({
    authority: stage.certificates.authority,
    directory: join(stage.folder, 'next'),
    workerName: 'worker-rotated',
  });
  const load = stage.load(50);
  const certificate = join(fleet.cwd, 'certs', 'worker.crt');
  for (const text of [readFileSync(next.workerCert, 'utf8').slice(0, 300), readFileSync(next.workerCert, 'utf8')]) {
    writeFileSync(certificate, text);
    fleet.program.signal('SIGHUP');
    await reloaded(fleet);
  }
  stage.expect(String(await pidsOf(fleet)) === String(before), 'a bad pair replaced workers');
  copyFileSync(next.workerKey, join(fleet.cwd, 'certs', 'worker.key'));
  fleet.program.signal('SIGHUP');
  const rotatedAt = performance.now();
  await waitFor(() => stage.server.clients.includes('worker-rotated'), { what: 'the new pair', deadlineMs: 30_000 });
  const recoveryMs = performance.now() - rotatedAt;
  await load.stop();
  stage.expect(!fleet.logged().includes('delivery failed'), 'a delivery failed');
  return { recoveryMs };
}
