import type { LoadedConfig } from '../../src/shared/config/load.js';
import { ConfigError, EXIT_CONFIG, EXIT_FAILURE } from '../../src/shared/errors.js';
import { systemClock } from '../../src/shared/time/clock.js';
import { printable } from '../../src/shared/words/escape.js';
import { controlSocketPath } from '../admin/socket-path.js';
import { fail, ok, warn, type Finding } from '../doctor/finding.js';
import { addCapacityOptions, checkCapacity, refuseCapacityFlags, type CapacityFlags } from './check/capacity.js';
import { printJson, type CommandContext, type RegisterCommand } from './kit/command.js';
import { addConfigOptions, loadFromCommand, loadOrReport } from './kit/options/config-options.js';
import { addExitCodes, EXIT_DONE, USAGE, type ExitCode } from './kit/exit-codes.js';

const EXIT_CODES: readonly ExitCode[] = [
  [EXIT_DONE, 'nothing has to be mended; warnings may stand there'],
  [EXIT_FAILURE, 'something has to be mended, the configuration included'],
  USAGE,
  [EXIT_CONFIG, 'with --capacity: the configuration cannot be used'],
];

export const registerCheck: RegisterCommand = (program, context) => {
  const command = program
    .command('check')
    .description('check everything that a worker needs, and say what to do; ends with 1 when something must be mended')
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', '\nExample:\n  $ message-broker-worker check || echo "not yet"\n');
  addCapacityOptions(command);
  addConfigOptions(command, 'supervisor').action(async (flags: CapacityFlags) => {
    const { capacity, json } = flags;
    if (capacity) {
      const loaded = loadOrReport(command, 'supervisor', context);
      return loaded && checkCapacity(loaded.config, flags, context);
    }
    refuseCapacityFlags(flags);
    const findings = await examine(() => loadFromCommand(command, 'supervisor', context), context);
    const isSound = findings.every(({ level }) => level !== 'fail');
    if (json) printJson(context, { ok: isSound, findings });
    else report(findings, context);
    context.finish(isSound ? EXIT_DONE : EXIT_FAILURE);
  });
  addExitCodes(command, EXIT_CODES);
};

async function examine(load: () => LoadedConfig, { cwd }: CommandContext): Promise<Finding[]> {
  let loaded: LoadedConfig;
  try {
    loaded = load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => fail('configuration', problem, 'Correct it; the other checks need it.'));
  }
  const { config, sources, warnings } = loaded;
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
  const client = createControlClient({ socketPath: controlSocketPath(config.supervisor) });
  const [redis, mainServer, supervisor] = await Promise.all([
    checkRedis(config, systemClock),
    checkMainServer(config, systemClock),
    checkSupervisor(client),
  ]).finally(() => client.close());
  return [
    ok('configuration', `read from ${sources.configFile ?? 'the environment'}`),
    ...warnings.map((text) => warn('configuration', text, 'See the table in docs/settings.md.')),
    ...redis,
    ...mainServer,
    ...(await checkPorts(config, supervisor.status)),
    ...checkFileLimit(config),
    ...checkMemory(config, supervisor.status),
    ...checkLogFolder(config, cwd),
    ...supervisor.findings,
  ];
}

function report(findings: readonly Finding[], { print }: CommandContext): void {
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, level, text, advice } of findings) {
    const line = `${level.toUpperCase().padEnd(4)}  ${check.padEnd(width)}  ${printable(text, 1_000)}`;
    print(advice === null ? line : `${line} → ${printable(advice, 1_000)}`);
  }
}
