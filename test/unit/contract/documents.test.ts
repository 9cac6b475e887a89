/** Holds the documents to the program: what they name must exist, and what operators use must be named. */
import { systemClock } from '../../../src/shared/time/clock.js';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../scripts/quickstart/options.js';
import { CAUSE } from '../../../src/shared/words/causes.js';
import { DEAD_LETTER_REASONS } from '../../../src/domain/dead-letters/reasons.js';
import { redisKeys } from '../../../src/queue/keys.js';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import { secretFileEnv } from '../../../src/shared/config/settings/setting.js';
import { CONFIG_FILE, SETTINGS } from '../../../src/shared/config/settings/settings.js';
import { createWorkerMetrics } from '../../../src/shared/metrics/worker-metrics.js';
import { CountLedger } from '../../../supervisor/status/counts.js';
import { MetricsAggregator } from '../../../supervisor/status/metrics-aggregator.js';
import { ROUTES } from '../../../supervisor/admin/protocol.js';
import { runProgram } from '../../../supervisor/program.js';
import { SignalInbox } from '../../../supervisor/primary/signals.js';
import { SupervisorMetrics } from '../../../supervisor/status/supervisor-metrics.js';
import { configurationTable } from '../../support/program/configuration-table.js';
import { ALERT_OF, type Cause } from '../../monitoring/monitoring-files.js';
import { document } from './markdown.js';
import { someStatus } from './some-status.js';

const readme = document('README.md');
const ecosystem = document('ecosystem.md');
const settings = document('docs/settings.md');
const reference = document('docs/reference.md');
const ALL = [
  readme,
  ecosystem,
  settings,
  reference,
  ...['CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'certs/README.md'].map(document),
];
const spans = ALL.flatMap((each) => each.spans);
const commandLines = ALL.flatMap((each) => each.fenced('bash')).map((line) => line.replace(/ +#.*$/, ''));

/** Metric name → type, from Prometheus's text format. */
function typesIn(page: string): Map<string, string> {
  return new Map([...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => [match[1] ?? '', match[2] ?? '']));
}

async function helpOf(...command: string[]): Promise<string> {
  let help = '';
  const print = (line: string) => (help += `${line}\n`);
  expect(await runProgram([...command, '--help'], { env: {}, cwd: packageRoot, print, printError: print })).toBe(0);
  return help;
}

/** The commands that a help page lists. */
function commandsIn(help: string): string[] {
  const list = help.slice(help.indexOf('Commands:')).split(/\n\n/)[0] ?? '';
  return [...list.matchAll(/^ {2}([a-z]+)/gm)].flatMap(([, name]) =>
    name === undefined || name === 'help' ? [] : [name],
  );
}

/** Commands with commands of their own. */
const GROUPS = ['dead', 'message'];

function flagsIn(words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith('--'));
}

describe('configuration', () => {
  test('the table of docs/settings.md is the settings table', () => {
    const between = /<!-- configuration -->\n\n([^]*)\n<!-- \/configuration -->/.exec(settings.text)?.[1];
    expect(between).toBe(configurationTable());
  });

  test('every variable that is named is a setting', () => {
    const known = new Set<string>([
      CONFIG_FILE.env,
      ...SETTINGS.flatMap((setting) =>
        setting.secret === true ? [setting.env, secretFileEnv(setting)] : [setting.env],
      ),
    ]);
    const named = spans.flatMap((span) => [...span.matchAll(/^([A-Z]+(?:_[A-Z]+)+)(?:=.*)?$/g)]);
    expect(named.length).toBeGreaterThan(50);
    expect(named.map((match) => match[1]).filter((name) => !known.has(name ?? ''))).toEqual([]);
  });
});

describe('command lines', () => {
  test('every npm script that is named exists', () => {
    const { scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { scripts: object };
    const named = [...commandLines, ...spans].flatMap((line) => [...line.matchAll(/^npm (?:run (\S+)|(test))/g)]);
    expect(named.length).toBeGreaterThan(4);
    for (const match of named) expect(Object.keys(scripts)).toContain(match[1] ?? match[2]);
  });

  test('the program and its commands exist, with the flags that are given', async () => {
    const { bin } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { bin: object };
    const ours = /^(?:npx (message-broker-worker)|node dist\/supervisor\/cli\.js) (\S+)(.*)$/;
    const named = commandLines.map((line) => ours.exec(line)).filter((match) => match !== null);
    expect(named.length).toBeGreaterThan(2);
    for (const [, program, command, rest] of named) {
      if (program !== undefined) expect(Object.keys(bin)).toContain(program);
      const help = await helpOf(command ?? '');
      for (const flag of flagsIn((rest ?? '').split(' '))) expect(help).toContain(`${flag} <`);
    }
  });

  test('the quickstart takes the options that are given', () => {
    const named = commandLines.filter((line) => line.startsWith('npm run quickstart'));
    expect(named.length).toBeGreaterThan(2);
    for (const line of named) {
      expect(parseCommandLine(line.split(' ').slice(4)), line).toMatchObject({ kind: 'run' });
    }
  });

  test('every flag in the prose is one of a command', async () => {
    const pages = await Promise.all(commandsIn(await helpOf()).map(async (name) => helpOf(name)));
    const ofGroups = GROUPS.map(async (group) =>
      Promise.all(commandsIn(await helpOf(group)).map(async (name) => helpOf(group, name))),
    );
    const help = [...pages, ...(await Promise.all(ofGroups)).flat()].join('\n');
    const named = flagsIn(spans.filter((span) => span !== '--exit').map((span) => span.split(' ')[0] ?? ''));
    expect(named).toContain('--config');
    for (const flag of named) expect(help).toContain(flag);
    expect(parseCommandLine(['--exit'])).toMatchObject({ kind: 'run', options: { exit: true } });
  });
});

describe('commands', () => {
  test('the README has each command there is, and no other', async () => {
    const named = readme.table('## Commands').flatMap(([commands]) => commands?.split(', ') ?? []);
    const groups = new Set(named.map((command) => command.split(' ')[0] ?? ''));
    expect([...groups].sort()).toEqual(commandsIn(await helpOf()).sort());
    for (const group of GROUPS) {
      const ofGroup = named.filter((command) => command.startsWith(`${group} `));
      expect(ofGroup.map((command) => command.slice(group.length + 1)).sort()).toEqual(
        commandsIn(await helpOf(group)).sort(),
      );
    }
  });
});

describe('routes', () => {
  /** As documents write them, whatever stands between the brackets: `/workers/<id>/restart`. */
  const known = Object.values(ROUTES).map(({ path }) => path.replace(/:\w+/g, '<>'));

  test('docs/reference.md has each route there is, and no other', () => {
    const [, section = ''] = reference.text.split('## Routes\n');
    const named = [...(section.split('\n## ')[0] ?? '').matchAll(/`(?:GET )?(\/[a-z/<>]*)`/g)].map(([, path]) =>
      path?.replace(/<\w+>/g, '<>'),
    );
    const ofThePage = ['/dashboard/<>', '/dashboard/<>/<>'];
    expect([...named, ...ofThePage].sort()).toEqual([...known].sort());
  });

  test('the page links to routes there are', () => {
    const page = readFileSync(join(packageRoot, 'supervisor/dashboard/page/page.html'), 'utf8');
    const links = [...page.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, link]) => `/${link}`);
    const isAsset = (link: string): boolean => /^\/dashboard\/([a-z]+\/)?[a-z-]+\.[a-z]+$/.test(link);
    expect(links.filter((link) => !isAsset(link) && !known.includes(link))).toEqual([]);
    expect(links.filter((link) => known.includes(link)).length).toBeGreaterThan(4);
  });
});

describe('operations', () => {
  test('the table of exit codes has those of the help, and who ends with "no supervisor"', async () => {
    const codesIn = (help: string) =>
      [...help.slice(help.indexOf('Exit codes:')).matchAll(/^ {2}(\d+) +\w/gm)].map(([, code]) => code ?? '');
    const rows = reference.table('## Exit codes');
    expect(rows.map(([code]) => code)).toEqual(codesIn(await helpOf()));
    const named = [...(rows.find(([code]) => code === '3')?.[1] ?? '').matchAll(/[a-z]+(?=[,)])/g)].map(String);
    const all = commandsIn(await helpOf());
    const pages = await Promise.all(all.map(async (name) => ({ name, codes: codesIn(await helpOf(name)) })));
    expect(named).toEqual(pages.filter(({ codes }) => codes.includes('3')).map(({ name }) => name));
  });

  test('the table of signals holds those that are handled', async () => {
    const before = new Set(process.eventNames());
    const inbox = new SignalInbox({ ...systemClock, now: () => 0, wallNow: () => 0 }, () => undefined);
    inbox.start();
    const handled = process.eventNames().filter((name) => !before.has(name));
    await inbox.stop();
    const named = reference.table('## Signals').flatMap(([signals]) => signals?.split(', ') ?? []);
    expect(named.sort()).toEqual(handled.map(String).sort());
    const inEcosystem = ecosystem.table('## Signals').filter(([to]) => to === 'supervisor');
    expect(inEcosystem.flatMap(([, signals]) => signals?.split(', ')).sort()).toEqual([...named, 'SIGKILL'].sort());
  });

  test('the keys in Redis are ours, and all are named', () => {
    const keys = redisKeys('message_queue');
    const { queue, retry, dead, deadIndex, deadLetters, deadExpirer, untold, consumers, crashes, processing } = keys;
    const named = ecosystem.table('## Messages in Redis').map(([key]) => key);
    const dying = [deadIndex, deadLetters, deadExpirer, dead, untold];
    const others = [
      consumers,
      crashes,
      keys.shares,
      keys.paused,
      keys.pausedSeen,
      keys.searcher,
      keys.rate,
      keys.audit,
    ];
    const failures = [keys.failures, keys.failuresIn('<hour>'), keys.failuresSwept, keys.fleet, keys.sideBooks];
    const history = [keys.history, keys.historyWriters, keys.historyOf('<day>'), keys.historyOf('<month>')];
    expect(named).toEqual([queue, processing('<consumer>'), retry, ...dying, ...others, ...failures, ...history]);
  });

  test('the words for the most frequent causes are those of the program, each with its alert', () => {
    const rows = ecosystem.table('## What happens at each failure').slice(0, Object.keys(CAUSE).length);
    expect(rows.map(([words]) => words)).toEqual(Object.values(CAUSE));
    expect(rows.map(([, , alert]) => alert)).toEqual(Object.keys(CAUSE).map((cause) => ALERT_OF[cause as Cause]));
  });

  test('the reasons of dead letters are ours, and all are named', () => {
    expect(readme.table('## Dead letters').map(([reason]) => reason)).toEqual([...DEAD_LETTER_REASONS]);
  });
});

describe('metrics', () => {
  /** The table of the Python worker's README. */
  const ORIGINAL = [
    ['worker_messages_processed_total', 'counter'],
    ['worker_messages_delivered_total', 'counter'],
    ['worker_messages_failed_total', 'counter'],
    ['worker_messages_retried_total', 'counter'],
    ['worker_delivery_duration_seconds', 'histogram'],
    ['worker_queue_wait_seconds', 'histogram'],
    ['worker_active_workers', 'gauge'],
    ['worker_processing_messages', 'gauge'],
  ];

  test("the table begins with the Python worker's eight and holds all there are, with their types", async () => {
    const { registry } = createWorkerMetrics('worker-1');
    const worker = typesIn(await registry.metrics());
    registry.clear();
    const own = [...worker].filter(([name]) => name.startsWith('worker_'));
    const supervisor = [...typesIn(await new SupervisorMetrics().scrape(someStatus()))];

    const documented = ecosystem.table('## Metrics').map(([name, type]) => [name, type]);
    expect(documented.slice(0, ORIGINAL.length)).toEqual(ORIGINAL);
    expect([...documented].sort()).toEqual([...own, ...supervisor].sort());
  });

  test('every metric that is named elsewhere exists', async () => {
    const documented = ecosystem.table('## Metrics').map(([name]) => name ?? '');
    const { registry } = createWorkerMetrics('worker-1');
    const pages = (await registry.metrics()) + (await new MetricsAggregator(new CountLedger()).scrape([]));
    registry.clear();
    const named = spans.filter((span) => /^(?:worker|supervisor|redis)_[a-z_]+$/.test(span));
    for (const name of named) {
      if (name === 'worker_id') continue;
      expect(documented.includes(name) || pages.includes(`# TYPE ${name} `), name).toBe(true);
    }
  });
});

describe('links', () => {
  test.each(ALL.map((each) => [each.name, each] as const))('of %s lead somewhere', (name, { links }) => {
    for (const link of links.filter((target) => !/^https:\/\//.test(target))) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? name : join(dirname(name), path);
      expect(existsSync(join(packageRoot, target)), link).toBe(true);
      if (anchor !== undefined) expect(document(target).anchors).toContain(anchor);
    }
  });
});

test('the package takes along what the documents in it link to', () => {
  const { files } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { files: string[] };
  const isPacked = (path: string) => files.some((packed) => path === packed || path.startsWith(`${packed}/`));
  const packed = ALL.filter(({ name }) => isPacked(name));
  expect(packed).toContain(reference);
  const targets = packed.flatMap(({ name, links }) =>
    links.filter((link) => !/^(https:|#)/.test(link)).map((link) => join(dirname(name), link.split('#')[0]!)),
  );
  expect(targets.filter((target) => !isPacked(target))).toEqual([]);
});

test('the README stays short: what is looked up stands beside it', () => {
  expect(readme.text.trimEnd().split('\n').length).toBeLessThanOrEqual(250);
});
