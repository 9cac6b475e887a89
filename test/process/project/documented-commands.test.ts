/** Every `message-broker-worker …` that documents, runbooks, units, launchers and notes say to type is one that exists. */
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDERS = ['docs', 'config', 'scripts/systemd', 'scripts/launchers', 'scripts/nssm'];
const DOCUMENTS = ['README.md', 'ecosystem.md', 'CHANGELOG.md', 'SECURITY.md', 'certs/README.md'];
/** By name or by path; in prose a command stands in backquotes and may be broken between words, in a block it begins a line. */
const COMMAND =
  /(?:(?:`|^ *)message-broker-worker|dist[/\\]supervisor[/\\]cli\.js'?,?)\s+'?([a-z][a-z-]*(?:\s+(?:list|show|replay|purge|export|import|retry|cancel|erase)\b)?)((?:\s+--[a-z-]+)*)/gm;

const commands = new Map<string, { readonly words: string[]; readonly flags: string[]; readonly file: string }>();
for (const file of [...DOCUMENTS, ...FOLDERS.flatMap(filesIn)]) {
  for (const [, words = '', flags = ''] of readFileSync(join(root, file), 'utf8').matchAll(COMMAND)) {
    const found = { words: words.split(/\s+/), flags: flags.split(/\s+/).filter(Boolean), file };
    commands.set([...found.words, ...found.flags].join(' '), found);
  }
}

test('some were found', () => {
  expect([...commands.keys()]).toEqual(expect.arrayContaining(['status', 'dead list', 'start', 'worker', 'reload']));
});

test.each([...commands])('%s', async (_, { words, flags, file }) => {
  const program = join(root, 'dist/supervisor/cli.js');
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...words, '--help']);
  expect(stdout, file).toContain(`Usage: message-broker-worker ${words.join(' ')}`);
  for (const flag of flags) expect(stdout, file).toContain(flag);
});

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}
