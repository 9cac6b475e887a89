/** Each alert fires for what it is about, and each panel shows data: a real Prometheus watches the built program. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runCommand } from '../process/fixtures/operated.js';
import { neededProgram } from '../support/program/needed-program.js';
import { QUEUE } from '../support/redis/queue.js';
import { alertRules, dashboard, DRILLED } from './monitoring-files.js';
import { PROMETHEUS } from './prometheus.js';
import { startWatchedProgram, untilSeen, type WatchedProgram } from './watched-program.js';

const prometheus = await neededProgram(PROMETHEUS);
const CRASHES = 5;

describe.skipIf(prometheus === undefined)('under a real Prometheus', () => {
  let watched: WatchedProgram;
  const fired = new Set<string>();
  beforeAll(async () => {
    watched = await startWatchedProgram(prometheus ?? '');
  });
  beforeEach(() => watched.server.clear());
  afterAll(() => watched?.close());

  /** The summaries of an alert that did not fire before. */
  async function summaries(name: string, provoke: () => unknown): Promise<string[]> {
    expect(await watched.isFiring(name)).toBe(false);
    await provoke();
    const alerts = await watched.untilFiring(name);
    fired.add(name);
    for (const { annotations } of alerts)
      expect(JSON.stringify(annotations)).not.toMatch(/<no value>|<error expanding/);
    return alerts.map(({ annotations }) => annotations['summary'] ?? '');
  }

  test('while all is well, only the certificate is spoken of', async () => {
    const allAtWork = 'sum(up) == 3 and sum(supervisor_worker_consuming) == 2';
    await untilSeen(
      async () => (await watched.prometheus.query(allAtWork)).length,
      'both workers and the supervisor to be scraped at work',
    );
    const [alert] = await watched.untilFiring('CertificateExpiring');
    expect(alert?.labels['severity']).toBe('warning');
    expect(alert?.annotations['summary']).toMatch(/worker\.crt on 127\.0\.0\.1 is valid for 4d 23h/);
    fired.add('CertificateExpiring');
    await untilSeen(
      async () => (await watched.prometheus.alerts()).every(isOfTheCertificate),
      'the alerts of the start to end',
    );
  });

  test('DeadLetters: a message that cannot be read', async () => {
    expect(await summaries('DeadLetters', () => watched.client.lpush('message_queue', 'not JSON'))).toEqual([
      '1 dead letters wait for a decision',
    ]);
  });

  test('MessagesWaitTooLong: more come in than go out', async () => {
    watched.server.faults.post.delayMs = 200;
    const [wait] = await summaries('MessagesWaitTooLong', () => watched.push(5_000, 600_000));
    expect(wait).toMatch(/^The oldest message has waited for 10m/);
    await watched.client.del(QUEUE);
    await untilSeen(async () => !(await watched.isFiring('MessagesWaitTooLong')), 'MessagesWaitTooLong to end');
  });

  test('HighErrorRate, HighFailureRatio and RetryBacklog: the main server answers 500', async () => {
    watched.server.faults.post.status = 500;
    const [errors, backlog, ratio] = await Promise.all([
      summaries('HighErrorRate', () => watched.push(1_500)),
      summaries('RetryBacklog', () => undefined),
      summaries('HighFailureRatio', () => undefined),
    ]);
    expect(ratio[0]).toMatch(/^[\d.]+% of all attempts of ten minutes failed$/);
    expect(errors[0]).toMatch(/^High error rate on worker-[12]$/);
    expect(backlog[0]).toMatch(/^1[0-9]{3} failed messages wait for another attempt$/);
  });

  const { panels: all, annotations } = dashboard();
  const panels = all.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

  test.each(panels)('panel $title: $expr', async ({ expr }) => {
    watched.server.faults.post.failRate = 0.3;
    await untilSeen(async () => {
      await watched.push(20);
      return hasData(expr);
    }, `data for ${expr}`);
  });

  /** As Grafana asks when nothing is chosen. */
  async function hasData(expr: string): Promise<boolean> {
    const query = expr.replaceAll('$__rate_interval', '10s').replaceAll(/\$(?:host|worker)/g, '.*');
    expect(query).not.toContain('$');
    return (await watched.prometheus.query(query)).some(({ value }) => Number.isFinite(value));
  }

  const marked = new Set<string>();
  /** The dashboard marks the moment. */
  async function expectMark(mark: string): Promise<void> {
    const { expr = '' } = annotations.list.find(({ name }) => name === mark) ?? {};
    await untilSeen(() => hasData(expr), `the mark ${mark}`);
    marked.add(mark);
  }

  test('DutyFailing and RetriesOverdue: Redis lets nobody move retries back', async () => {
    const mayRemove = (sign: '+' | '-') => watched.client.call('ACL', 'SETUSER', 'default', `${sign}zrem`);
    const message = JSON.stringify({ message_id: 'late', attempt_count: 1 });
    const provoke = async () => {
      await mayRemove('-');
      await watched.client.zadd(`{${QUEUE}}:retry`, Date.now() - 100_000, `0123456789ab1 late 30000:${message}`);
    };
    const [overdue] = await Promise.all([
      summaries('RetriesOverdue', provoke),
      summaries('DutyFailing', () => undefined),
    ]);
    expect(overdue[0]).toMatch(/^Failed messages have been due for \d+m \d+s and are not tried again$/);
    // others need the command, too, and any of them may be the first
    const scheduler = 'This has failed for a minute: retry scheduler';
    await untilSeen(
      async () =>
        (await watched.untilFiring('DutyFailing')).some(({ annotations }) => annotations['summary'] === scheduler),
      'the retry scheduler among what fails',
    );
    await mayRemove('+');
    for (const alert of ['RetriesOverdue', 'DutyFailing'])
      await untilSeen(async () => !(await watched.isFiring(alert)), `${alert} to end`);
  });

  test('DeliveriesPaused: somebody has paused them, and ends that as the runbook says', async () => {
    const command = async (...args: string[]) =>
      void (await runCommand(args, { env: watched.env, cwd: watched.program.cwd }));
    const said = await summaries('DeliveriesPaused', () => command('pause', '--reason', 'new main server'));
    expect(said).toEqual(['All deliveries have been paused for an hour']);
    await expectMark('Pause');
    await command('resume');
    await untilSeen(async () => !(await watched.isFiring('DeliveriesPaused')), 'DeliveriesPaused to end');
  });

  test('WorkerStuck: the main server never answers', async () => {
    watched.server.faults.post.hang = true;
    const stuck = await summaries('WorkerStuck', () => watched.push(100));
    expect(stuck.join()).toMatch(/Worker worker-\d on 127\.0\.0\.1:\d+ takes no messages/);
  });

  test('ReloadFailed: a setting that cannot be', async () => {
    const provoke = async () => {
      await watched.writeEnv('WORKER_BATCH_SIZE=many\n');
      watched.program.signal('SIGHUP');
    };
    expect((await summaries('ReloadFailed', provoke))[0]).toMatch(/The last reload on 127\.0\.0\.1:\d+ failed/);
    await expectMark('Reload');
  });

  test('EvictionUnsafe: Redis may evict, and another policy ends it as the runbook says, without a reload', async () => {
    // the failed reload of before is mended
    await watched.writeEnv('');
    watched.program.signal('SIGHUP');
    await untilSeen(async () => !(await watched.isFiring('ReloadFailed')), 'ReloadFailed to end');
    const follow = async (policy: string) => void (await watched.client.config('SET', 'maxmemory-policy', policy));
    const said = await summaries('EvictionUnsafe', () => follow('allkeys-lru'));
    expect(said.join()).toContain('Redis may delete the queue to make room');
    await follow('noeviction');
    await untilSeen(async () => !(await watched.isFiring('EvictionUnsafe')), 'EvictionUnsafe to end');
    expect(await watched.isFiring('ReloadFailed')).toBe(false);
  });

  test('CrashLoop: a worker dies again and again', async () => {
    const worker = async () => (await watched.status()).workers.find(({ id }) => id === 'worker-2');
    const atWork = async () => {
      const { pid, state } = (await worker()) ?? {};
      return state !== 'starting' && pid;
    };
    const provoke = async () => {
      for (let crash = 1; crash <= CRASHES; crash++) {
        const pid = await untilSeen(atWork, 'worker-2 to be at work');
        process.kill(pid, 'SIGKILL');
        await untilSeen(async () => (await worker())?.pid !== pid, 'its end to be seen');
      }
    };
    expect((await summaries('CrashLoop', provoke))[0]).toMatch(/Worker worker-2 on 127\.0\.0\.1:\d+ keeps crashing/);
    await expectMark('Restart');
  });

  test('WorkerDown and SupervisorDown: everything was killed', async () => {
    // worker-2 has died five times a moment ago
    await untilSeen(async () => !(await watched.isFiring('WorkerDown')), 'worker-2 to be scraped again');
    const [down] = await Promise.all([
      summaries('WorkerDown', () => watched.program.destroy()),
      summaries('SupervisorDown', () => undefined),
    ]);
    const wanted = watched.workerPorts.map((port) => `Worker 127.0.0.1:${port} is down`);
    expect(wanted).toEqual(expect.arrayContaining(down));
  });

  test('no mark was left out', () => {
    expect([...marked].sort()).toEqual(annotations.list.map(({ name }) => name).sort());
  });

  test('no alert was left out', () => {
    expect([...fired, ...DRILLED].sort()).toEqual(
      [...new Set(alertRules().groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)))].sort(),
    );
  });
});

function isOfTheCertificate({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean {
  return labels['alertname'] === 'CertificateExpiring';
}
