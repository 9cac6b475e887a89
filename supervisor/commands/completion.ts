import type { Command } from 'commander';

import { usageError, type RegisterCommand } from './kit/command.js';
import { addExitCodes, EXIT_DONE, USAGE, type ExitCode } from './kit/exit-codes.js';

const EXIT_CODES: readonly ExitCode[] = [[EXIT_DONE, 'printed'], USAGE];

/** One level of the program: `dead` and what follows it. */
interface Level {
  /** Words before it, without the program's name. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly string[];
}

const NAME = 'message-broker-worker';

export const registerCompletion: RegisterCommand = (program, context) => {
  const command = program
    .command('completion')
    .argument('<shell>', 'bash, zsh or fish')
    .description('print a script that completes commands and flags')
    .addHelpText(
      'after',
      `
Examples:
  $ source <(message-broker-worker completion bash)
  $ message-broker-worker completion zsh > "\${fpath[1]}/_message-broker-worker"
  $ message-broker-worker completion fish > ~/.config/fish/completions/message-broker-worker.fish
`,
    )
    .action((shell: string) => {
      const script = SCRIPTS[shell];
      if (!script) throw usageError(`${JSON.stringify(shell)} is none of the shells bash, zsh and fish.`);
      context.print(script(levelsOf(program, [])));
    });
  addExitCodes(command, EXIT_CODES);
};

function levelsOf(command: Command, path: readonly string[]): Level[] {
  const commands = command.commands.map((sub) => ({ name: sub.name(), description: sub.description() }));
  const flags = [...command.options.map(({ long }) => long), '--help'].filter((flag) => typeof flag === 'string');
  return [
    { path: path.join(' '), commands, flags: [...new Set(flags)] },
    ...command.commands.flatMap((sub) => levelsOf(sub, [...path, sub.name()])),
  ];
}

const SCRIPTS: Readonly<Record<string, (levels: readonly Level[]) => string>> = { bash, zsh, fish };

/** The words that are commands decide the level; the rest are flags and values. */
function bash(levels: readonly Level[]): string {
  return `_message_broker_worker() {
  local current="\${COMP_WORDS[COMP_CWORD]}" level="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${levelWalk(levels)}
  done
  case "$level" in
${levels.map((level) => `    "${level.path}") COMPREPLY=($(compgen -W "${words(level)}" -- "$current")) ;;`).join('\n')}
  esac
}
complete -o default -F _message_broker_worker ${NAME}`;
}

function zsh(levels: readonly Level[]): string {
  return `#compdef ${NAME}
_message_broker_worker() {
  local level="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
${levelWalk(levels)}
  done
  case "$level" in
${levels.map((level) => `    "${level.path}") compadd -- ${words(level)} ;;`).join('\n')}
  esac
  _files
}
# a file of fpath is run at the first completion, and has to answer it
if [[ "\${funcstack[1]}" == "_${NAME}" ]]; then
  _message_broker_worker
else
  compdef _message_broker_worker ${NAME}
fi`;
}

function levelWalk(levels: readonly Level[]): string {
  const steps = levels
    .filter(({ path }) => path !== '')
    .map(({ path }) => {
      const before = path.split(' ').slice(0, -1).join(' ');
      return `      "${before}/${path.split(' ').at(-1)}") level="${path}" ;;`;
    });
  return ['    case "$level/$word" in', ...steps, '    esac'].join('\n');
}

function words({ commands, flags }: Level): string {
  return [...commands.map(({ name }) => name), ...flags].join(' ');
}

function fish(levels: readonly Level[]): string {
  const lines = levels.flatMap(({ path, commands, flags }) => {
    const names = path === '' ? [] : path.split(' ');
    const inside = names.map((name) => `__fish_seen_subcommand_from ${name}`);
    const notDeeper =
      commands.length > 0 ? [`not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`] : [];
    const condition = [...inside, ...notDeeper].join('; and ');
    return [
      ...commands.map(
        ({ name, description }) => `complete -c ${NAME} -f -n "${condition}" -a ${name} -d ${quoted(description)}`,
      ),
      ...flags.map((flag) => `complete -c ${NAME} -n "${condition}" -l ${flag.slice(2)}`),
    ];
  });
  return lines.join('\n');
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
