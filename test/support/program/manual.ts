import { packageRoot, packageVersion } from '../../../src/shared/config/package-root.js';
import { CONFIG_FILE } from '../../../src/shared/config/settings/settings.js';
import { runProgram } from '../../../supervisor/program.js';

/** docs/message-broker-worker.1: the manual page, in roff, as the help of each command makes it. */
export async function manual(): Promise<string> {
  const overview = await helpOf();
  const commands = commandsIn(overview);
  const pages = await Promise.all(commands.map((command) => commandPages([command])));
  return [
    `.TH MESSAGE-BROKER-WORKER 1 "" "message-broker-worker ${packageVersion()}" "User Commands"`,
    '.SH NAME',
    'message-broker-worker \\- delivers the messages of a Redis list over mutual TLS',
    '.SH SYNOPSIS',
    '.B message-broker-worker',
    '.RI [ options ] " command " [ arguments ]',
    '.SH OVERVIEW',
    ...preformatted(overview),
    '.SH COMMANDS',
    ...pages.flat(),
    '.SH ENVIRONMENT',
    'Each setting is a variable, a key of config.yaml and in part a flag; docs/settings.md in the package lists them all.',
    `${CONFIG_FILE.env} names the configuration file.`,
    '.SH FILES',
    ...FILES.flatMap(([path, meaning]) => ['.TP', `.I ${escaped(path)}`, meaning]),
    '',
  ].join('\n');
}

const FILES = [
  ['.env', 'Variables, read from the working directory.'],
  ['config/config.yaml, config.yaml', 'The configuration file, the first that is there.'],
  ['certs/', 'Client certificate, its key and the certificate authority.'],
  ['logs/worker.log', "Leads to today's log file."],
] as const;

/** Of a command, and of the commands that it has. */
async function commandPages(names: readonly string[]): Promise<string[]> {
  const help = await helpOf(...names);
  const own = [`.SS ${names.join(' ')}`, ...preformatted(help)];
  const inner = await Promise.all(commandsIn(help).map((command) => commandPages([...names, command])));
  return [...own, ...inner.flat()];
}

async function helpOf(...command: string[]): Promise<string> {
  let help = '';
  const print = (line: string) => (help += `${line}\n`);
  await runProgram([...command, '--help'], { env: {}, cwd: packageRoot, print, printError: print });
  return help;
}

function commandsIn(help: string): string[] {
  const [, list = ''] = /^Commands:\n((?: .*\n)+)/m.exec(help) ?? [];
  return [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

function preformatted(text: string): string[] {
  return ['.nf', ...text.trimEnd().split('\n').map(escaped), '.fi'];
}

/** A backslash begins an escape in roff, a dot or an apostrophe at the start of a line a request; other than ASCII is named. */
function escaped(line: string): string {
  const text = line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');
  return text.replace(
    /[^ -~]/gu,
    (character) => `\\[u${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
  );
}
