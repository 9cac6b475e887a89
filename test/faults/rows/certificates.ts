/** Row 27: certificates that are expired, foreign, mismatched or half-written. */
import { copyFileSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMainServer } from '../../../scripts/main-server/server.js';
import type { Fleet } from '../../support/program/fleet.js';
import { pemsOf } from '../../support/main-server/main-server.js';
import { makeCertificates, validFor } from '../../support/main-server/pki.js';
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
    fault: 'client certificate expires while running; renewed files put in its place',
    bound:
      'warned of before and at its end, failures name it, reason tls, breaker instead of attempts; delivers < 8 s after',
    limits: { recoveryMs: 8_000 },
    run: clientExpires,
  },
  {
    id: '27c',
    fault: 'rotation under load: half-written pair, key of another pair, then the right one; SIGHUP each time',
    bound: 'bad ones keep the old pair, new pair in use < 10 s, 0 failed deliveries',
    limits: { recoveryMs: 10_000 },
    run: rotation,
  },
  {
    id: '27d',
    fault: 'rotation under load by the files alone, as Kubernetes swaps them: half-written pair, then the right one',
    bound: 'the bad one is named once and the old pair stays, new pair in use ≤ 60 s, 0 failed deliveries, no restart',
    limits: { recoveryMs: 60_000 },
    run: rotationByFiles,
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
  const fleet = await stage.start({ ...SETTINGS, WORKER_CERT_CHECK_INTERVAL: 1 }, { prepareOnly: true });
  fleet.useCertificate({ ...short, caCert: stage.certificates.caCert });
  fleet.startAgain();
  await fleet.ready(1);
  const warned = (text: RegExp) => text.test(fleet.logged());
  await waitFor(() => warned(/WARNING.*Certificate certs\/worker\.crt expires in 1 day/), {
    what: 'the warning before it ends',
  });
  // nothing is sent before it ends: a session that was resumed would be let in without a look at the certificate
  await sleep(SHORT_LIFE_MS);
  await stage.ledger.produce(60);
  await fleet.until('an open breaker', ({ workers }) => workers[0]?.breaker !== 'closed', 20_000);
  const ended = 'certificate has expired: certs/worker.crt ended on';
  await waitFor(() => warned(new RegExp(`WARNING.*The ${ended}`)), { what: 'the warning at its end' });
  stage.expect(
    warned(new RegExp(`Failed to connect to main server for message .*our own ${ended}`)),
    'the failures do not name it',
  );
  const metrics = await fleet.get('/metrics/workers');
  stage.expect(/worker_messages_failed_total\{[^}]*reason="tls"/.test(metrics), 'the reason is not tls');
  copyFileSync(workerCert, join(fleet.cwd, 'certs', 'worker.crt'));
  copyFileSync(workerKey, join(fleet.cwd, 'certs', 'worker.key'));
  const renewedAt = performance.now();
  return { recoveryMs: (await stage.firstPostAfter(renewedAt, 20_000)) - renewedAt };
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

/** certs/worker.crt → ..data/worker.crt, ..data → a folder: the one link is swapped, and all files change at once. */
async function rotationByFiles(stage: Stage): Promise<Findings> {
  const fleet = await stage.start({ ...SETTINGS, WORKER_COUNT: 2 }, { prepareOnly: true });
  const certs = join(fleet.cwd, 'certs');
  const current = join(certs, '..data');
  const swapTo = (folder: string) => {
    symlinkSync(folder, `${current}_tmp`);
    renameSync(`${current}_tmp`, current);
  };
  swapTo(stage.certificates.directory);
  for (const name of ['ca.crt', 'worker.crt', 'worker.key']) {
    rmSync(join(certs, name));
    symlinkSync(join('..data', name), join(certs, name));
  }
  fleet.startAgain();
  await fleet.ready(2);
  const before = await pidsOf(fleet);
  stage.server.faults.post.delayMs = 150; // POSTs are under way at each moment, at that of the change, too
  const load = stage.load(30);
  const { authority } = stage.certificates;
  const bad = await makeCertificates({ authority, directory: join(stage.folder, 'bad'), workerName: 'worker-bad' });
  writeFileSync(bad.workerCert, readFileSync(bad.workerCert, 'utf8').slice(0, 300));
  swapTo(bad.directory);
  const count = (text: string) => fleet.logged().split(text).length - 1;
  const refused = 'The changed certificate files are not used';
  await waitFor(() => count(refused) === 2, { what: 'the half-written pair to be refused', deadlineMs: 30_000 });
  const good = await makeCertificates({
    authority,
    directory: join(stage.folder, 'good'),
    workerName: 'worker-rotated',
  });
  swapTo(good.directory);
  const rotatedAt = performance.now();
  await waitFor(() => count('were renewed and are in use') === 2, { what: 'both to use it', deadlineMs: 61_000 });
  const recoveryMs = performance.now() - rotatedAt;
  await waitFor(() => stage.server.clients.at(-1) === 'worker-rotated', { what: 'the new pair at the server' });
  await load.stop();
  stage.expect(count(refused) === 2, 'the half-written pair was named more than once');
  stage.expect(!stage.server.clients.includes('worker-bad'), 'the half-written pair was used');
  stage.expect(!fleet.logged().includes('delivery failed'), 'a delivery failed');
  stage.expect(String(await pidsOf(fleet)) === String(before), 'workers were replaced');
  return { recoveryMs };
}
