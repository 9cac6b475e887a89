import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

export interface Transpiled {
  /** Path of the JavaScript made from a TypeScript file, given as its path in the repository. */
  script(source: string): string;
  remove(): void;
}

/**
 * JavaScript of some source folders, for a test that forks a program of its own without building everything. It lies
 * inside the repository, so that packages are found.
 *
 * @param folders paths in the repository, subfolders included.
 */
export function transpiled(folders: readonly string[]): Transpiled {
  const cache = join(REPOSITORY, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const root = mkdtempSync(join(cache, 'transpiled-'));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  for (const folder of folders) {
    const names = readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((file) => file.endsWith('.ts'))) transpile(join(folder, name), root);
  }
  return {
    script: (source) => join(root, source.replace(/\.ts$/, '.js')),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function transpile(source: string, root: string): void {
  const { outputText } = ts.transpileModule(readFileSync(join(REPOSITORY, source), 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
  });
  const target = join(root, source.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, outputText);
}
