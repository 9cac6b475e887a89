import { EXIT_CONFIG, EXIT_FAILURE } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { printable } from '../../src/shared/words/escape.js';
import { fail, ok, warn, type Finding } from '../doctor/finding.js';
import { addCapacityOptions, checkCapacity, refuseCapacityFlags, type CapacityFlags } from './check/capacity.js';
import { printJson, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addInstanceOptions } from './kit/instance/instance-options.js';
import { loadLocatedOr, type Located } from './kit/instance/load-located.js';
import { instanceLine } from './kit/instance/words.js';
import { addConfigOptions } from './kit/options/config-options.js';
import { addExitCodes, EXIT_DONE, WHICH, type ExitCode } from './kit/exit-codes.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'nothing has to be mended; warnings may stand there'],
  [EXIT_FAILURE, 'something has to be mended, the configuration included'],
  WHICH,
  [EXIT_CONFIG, 'with --capacity: the configuration cannot be used'],
];

export const registerCheck: RegisterCommand = (program, context) => {
  const command = program
    .command('check')
    .description('check everything that a worker needs, and say what to do; ends with 1 when something must be mended')
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker check || echo "not yet"\n');
  addCapacityOptions(command);
  addInstanceOptions(command);
  addConfigOptions(command, 'supervisor').action(async (flags: CapacityFlags) => {
    const { capacity, json } = flags;
    if (!capacity) refuseCapacityFlags(flags);
    let problems: readonly string[] = [];
    const located = await loadLocatedOr(command, context, (found) => (problems = found));
    if (capacity) return located ? checkCapacity(located, flags, context) : reportProblems(problems, context);
    const findings = located
      ? await examine(located)
      : problems.map((problem) => fail('configuration', problem, 'Correct it; the other checks need it.'));
    const isSound = findings.every(({ level }) => level !== 'fail');
    if (json) printJson(context, { ok: isSound, findings });
    else report(findings, context);
    context.finish(isSound ? EXIT_DONE : EXIT_FAILURE);
  });
  addExitCodes(command, EXIT_CODES);
};

function reportProblems(problems: readonly string[], { printError, finish }: CommandContext): void {
  for (const problem of problems) printError(`ERROR: ${problem}`);
  finish(EXIT_CONFIG);
}

const NAME_ONE = "Run this in the worker's folder, or name it with --directory or --config.";

async function examine(located: Located): Promise<Finding[]> {
  const { loaded, cwd, address } = located;
  const { config, warnings } = loaded;
  // Imported here: they load ioredis and got.
  const [
    { checkRedis },
    { checkMainServer },
    { checkSupervisor },
    { checkFileLimit, checkLogFolder, checkMemory, checkPorts },
    { createControlClient },
  ] = await Promise.all([
    import('../doctor/redis-checks.js'),
    import('../doctor/main-server-checks.js'),
    import('../doctor/supervisor-checks.js'),
    import('../doctor/host-checks.js'),
    import('../admin/client.js'),
  ]);
  const client = createControlClient(address);
  const [redis, mainServer, supervisor] = await Promise.all([
    checkRedis(config, systemClock),
    checkMainServer(config, systemClock),
    checkSupervisor(client),
  ]).finally(() => client.close());
  return [
    ...sourceFindings(located),
    ...warnings.map((text) => warn('configuration', text, 'See the table in docs/settings.md.')),
    ...redis,
    ...mainServer,
    ...(await checkPorts(config, supervisor.status)),
    ...checkFileLimit(config),
    ...checkMemory(config, supervisor.status),
    ...checkLogFolder(config, cwd),
    ...supervisor.findings.map((finding) => withoutStart(finding, located)),
  ];
}

/** What was read, and what is not there. */
function sourceFindings({ location, loaded: { sources }, cwd }: Located): Finding[] {
  const { configFile, envFile } = sources;
  const read = [configFile, envFile].filter((file) => file !== undefined);
  const from = read.length > 0 ? read.join(' and ') : 'the environment';
  const text = `read from ${from}${envFile === undefined ? `; there is no .env in ${cwd}` : ''}`;
  switch (location.kind) {
    case 'instance':
      return [ok('configuration', `of ${instanceLine(location.instance)}`), ok('configuration', text)];
    case 'nothing':
      return [warn('configuration', `${location.why} The defaults are checked, ${text}`, NAME_ONE)];
    case 'folder':
    case 'told':
      return [ok('configuration', text)];
  }
}

/** Where nothing says that an installation should be here, no second one is to be started. */
function withoutStart(finding: Finding, { location }: Located): Finding {
  const isAbsent = finding.check === 'supervisor' && finding.level === 'warn' && location.kind === 'nothing';
  return isAbsent ? { ...finding, advice: NAME_ONE } : finding;
}

function report(findings: readonly Finding[], { print }: CommandContext): void {
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, level, text, advice } of findings) {
    const line = `${level.toUpperCase().padEnd(4)}  ${check.padEnd(width)}  ${printable(text, 1_000)}`;
    print(advice === null ? line : `${line} → ${printable(advice, 1_000)}`);
  }
}
