/**
 * The fault drill: for what goes wrong most often, everybody whom an operator may ask names the same cause in the same
 * words: /ready, /health, `status`, `check`, the log, the dashboard in a browser and one alert of a real Prometheus.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CAUSE } from '../../src/shared/words/causes.js';
import { CHROMIUM, openPage, startBrowser, type WatchedPage } from './support/browser.js';
import { runCommand, type Ran } from '../process/fixtures/operated.js';
import { neededProgram } from '../support/program/needed-program.js';
import { makeCertificates } from '../support/main-server/pki.js';
import { ALERT_OF, DRILLED, type Cause } from '../monitoring/monitoring-files.js';
import { PROMETHEUS } from '../monitoring/prometheus.js';
import { SLOW_HANGS_MS } from '../support/wait-for.js';
import { startWatchedProgram, untilSeen, type WatchedProgram } from '../monitoring/watched-program.js';

const prometheus = await neededProgram(PROMETHEUS);
const chromium = await neededProgram(CHROMIUM);
const CERTIFICATE_LASTS_MS = 12_000;
// each drill waits for a whole outage and its end, at Prometheus's pace
vi.setConfig({ testTimeout: 3 * SLOW_HANGS_MS });

describe.skipIf(prometheus === undefined || chromium === undefined)('fault drill', () => {
  let watched: WatchedProgram;
  let browser: Browser;
  let dashboard: WatchedPage;
  const fired = new Set<string>();
  beforeAll(async () => {
    [watched, browser] = await Promise.all([
      startWatchedProgram(prometheus ?? '', { certificateDays: 100, env: { WORKER_CERT_CHECK_INTERVAL: '1' } }),
      startBrowser(chromium ?? ''),
    ]);
    const isReady = () =>
      ready().then(
        ({ status }) => status === 200,
        () => false,
      );
    await untilSeen(isReady, 'a ready supervisor');
    dashboard = await openPage(browser, watched.origin);
  });
  afterAll(async () => {
    await dashboard?.close();
    await browser?.close();
    await watched?.close();
  });

  const fetched = async (path: string) => {
    const response = await fetch(watched.origin + path, { headers: { connection: 'close' } });
    return { status: response.status, text: await response.text() };
  };
  const ready = () => fetched('/ready');
  const command = (...args: string[]): Promise<Ran> => runCommand(args, { env: watched.env, cwd: watched.program.cwd });
  const logged = (): string => {
    const folder = join(watched.program.cwd, 'logs');
    // made with the first line, and all is well so far
    if (!existsSync(folder)) return '';
    return readdirSync(folder)
      .filter((name) => /\d\.log$/.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
  };

  /** Whom an operator may ask, and what each says now. */
  const VOICES: Readonly<Record<string, () => Promise<string>>> = {
    '/ready': async () => (await ready()).text,
    '/health': async () => (await fetched('/health')).text,
    '/status or the status command': async () => (await command('status')).out,
    // what it has from the supervisor's status stands under `supervisor`, and would hide the loss of its own words
    check: async () => ownWords((await command('check', '--json')).out),
    'the log': async () => logged(),
    'the dashboard': () => dashboard.text('reasons'),
  };

  /** Each voice is asked until it names the cause; the alert until it fires and does. */
  async function expectAllToSay(cause: Cause): Promise<void> {
    const alert = ALERT_OF[cause];
    const pattern = new RegExp(CAUSE[cause], 'i');
    const voices = Object.entries(VOICES).map(async ([voice, ask]) => {
      let last = '';
      const names = async () => pattern.test((last = await ask()));
      await untilSeen(names, `${voice} to say ${pattern}`).catch((error: unknown) => {
        throw new Error(`${String(error)}; it says: ${last.slice(-2_000)}`);
      });
    });
    const alerts = watched.untilFiring(alert).then((all) => {
      fired.add(alert);
      for (const { annotations } of all) expect(annotations['summary']).toMatch(pattern);
    });
    await Promise.all([...voices, alerts]);
  }

  const untilWell = (what: string) =>
    untilSeen(async () => (await ready()).text.includes('"reasons":[],"warnings":[]'), what);

  test('nothing is wrong, and nobody says so', async () => {
    await untilWell('the start to be over');
    const said = await Promise.all(Object.values(VOICES).map((ask) => ask()));
    for (const cause of Object.values(CAUSE)) expect(said.join('\n')).not.toMatch(new RegExp(cause, 'i'));
  });

  test('a backlog of 20,000 messages', async () => {
    watched.server.faults.post.delayMs = 100;
    await watched.push(20_000);
    await expectAllToSay('backlog');
    expect((await ready()).status).toBe(200);
    await watched.client.del('message_queue');
    watched.server.faults.post.delayMs = 0;
    await untilWell('the backlog to be gone');
  });

  test('Redis is stopped', async () => {
    await watched.redis.kill();
    await expectAllToSay('redis');
    expect((await ready()).status).toBe(503);
    await watched.redis.restart();
    await untilWell('Redis to be back');
  });

  test('the main server is stopped', async () => {
    await watched.stopMainServer();
    await watched.push(40);
    await expectAllToSay('mainServer');
    await untilSeen(async () => (await ready()).status === 503, 'no worker to be able to deliver');
    await watched.startMainServer();
    await untilWell('the main server to be back');
  });

  test('a worker hangs', async () => {
    const { pid } = (await watched.status()).workers[0] ?? {};
    process.kill(pid ?? 0, 'SIGSTOP');
    await expectAllToSay('hang');
    await untilWell('another process to be at work');
  });

  test("the worker's certificate has expired", async () => {
    const { certificates } = watched;
    const renewed = async (notAfter: number) => {
      const directory = join(watched.program.cwd, 'renewed');
      mkdirSync(directory, { recursive: true });
      const validity = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(notAfter) };
      const made = await makeCertificates({ directory, authority: certificates.authority, workerValidity: validity });
      writeFileSync(certificates.workerKey, readFileSync(made.workerKey));
      writeFileSync(certificates.workerCert, readFileSync(made.workerCert));
    };
    await renewed(Date.now() + CERTIFICATE_LASTS_MS);
    await untilSeen(
      async () => (await watched.status()).certificates.some(({ expired }) => expired),
      'the short one to have been in use, and to have ended',
    );
    // it forgets its TLS sessions: one from before would be resumed, and nobody looks at the certificate again
    await watched.stopMainServer();
    await watched.startMainServer();
    await watched.push(40);
    await expectAllToSay('certificate');
    await untilSeen(async () => (await ready()).status === 503, 'no worker to be able to deliver');
    await renewed(Date.now() + 100 * 86_400_000);
    await untilWell('the renewed one to be in use');
  });

  test('every alert that was promised fired', () => {
    expect([...fired].sort()).toEqual([...DRILLED].sort());
    // the history may be asked for while Redis is going
    expect(dashboard.wrong.filter((text) => !text.includes('503'))).toEqual([]);
  });
});

function ownWords(json: string): string {
  const { findings } = JSON.parse(json) as { findings: { check: string; text: string; advice: string | null }[] };
  const own = findings.filter(({ check }) => check !== 'supervisor');
  return own.map(({ check, text, advice }) => `${check}: ${text} ${advice ?? ''}`).join('\n');
}
