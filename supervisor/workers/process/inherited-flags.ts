/**
 * Which of the flags that Node was started with its children get.
 *
 * A child is started at any time, so a flag that names a file would let every restart fail once that file is gone: `node
 * --env-file=../.env` has done its work when we run, and its variables are inherited. What is loaded into a process
 * (`--require`, `--import`, …) is passed on for as long as it is there. All of this holds for NODE_OPTIONS, too.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Read once by us, or ours alone: children would fight for the debugger's port, and ports would drift with every restart. */
const OURS =
  /^--(inspect|env-file|watch|test|experimental-config-file|experimental-default-config-file|snapshot-blob|build-snapshot|run$)/;
/** Their value is a module. */
const LOADS = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader']);
/** Their value is a file, without which Node does not start. */
const READS = new Set([
  '--openssl-config',
  '--icu-data-dir',
  '--experimental-sea-config',
  '--policy-integrity',
  '--experimental-policy',
]);
/** Flags of OURS and others whose value may be an argument of its own. */
const WITH_VALUE = new Set([
  ...LOADS,
  ...READS,
  '--env-file',
  '--env-file-if-exists',
  '--watch-path',
  '--snapshot-blob',
  '--inspect-port',
  '--inspect-publish-uid',
  '--experimental-config-file',
  '--build-snapshot-config',
  '--watch-kill-signal',
]);
/** Programs on the command line are for the process that was started with them. */
const PROGRAM = new Set(['-e', '--eval', '-p', '--print', '-pe', '-c', '--check', '-i', '--interactive']);

interface Inherited {
  readonly flags: readonly string[];
  /** What is left out although children had it before: it is gone. */
  readonly gone: readonly string[];
}

/** @param isThere whether what a flag names can be loaded from the working directory. */
export function inheritedFlags(
  execArgv: readonly string[],
  isThere: (value: string) => boolean = canBeLoaded,
): Inherited {
  const flags: string[] = [];
  const gone: string[] = [];
  for (let at = 0; at < execArgv.length; at++) {
    const flag = execArgv[at] ?? '';
    const [name = '', ...rest] = flag.split('=');
    const isSplit = rest.length === 0 && (WITH_VALUE.has(name) || PROGRAM.has(name));
    const value = isSplit ? (execArgv[(at += 1)] ?? '') : rest.join('=');
    if (OURS.test(name) || PROGRAM.has(name)) continue;
    const whole = isSplit ? [flag, value] : [flag];
    if ((LOADS.has(name) || READS.has(name)) && !isThere(value)) gone.push(whole.join(' '));
    else flags.push(...whole);
  }
  return { flags, gone };
}

/** NODE_OPTIONS for the children; undefined = it is to be left out. */
export function inheritedOptions(options: string, isThere?: (value: string) => boolean): string | undefined {
  const words = options.match(/(?:[^\s"]|"(?:\\.|[^"\\])*")+/g) ?? [];
  const { flags } = inheritedFlags(words.map(unquoted), isThere);
  return flags.length === 0 ? undefined : flags.map(quoted).join(' ');
}

function unquoted(word: string): string {
  return word.replace(/"((?:\\.|[^"\\])*)"/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1'));
}

function quoted(word: string): string {
  return /[\s"\\]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word;
}

/** A path or URL that exists, or a package that is found from the working directory. */
function canBeLoaded(value: string): boolean {
  if (/^(data|node):/.test(value)) return true;
  try {
    if (value.startsWith('file:')) return existsSync(new URL(value));
    if (existsSync(value)) return true;
    createRequire(join(process.cwd(), 'index.js')).resolve(value);
    return true;
  } catch (error) {
    // it is there, for `import` alone
    return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}
