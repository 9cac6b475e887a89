// Makes the fault matrix JavaScript: tests are no part of the build.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../install.mjs';

const SOURCES = ['src', 'supervisor', 'scripts', 'test/support', 'test/faults'];

/** Of the matrix and what it uses: the folder, inside the project so that packages are found. The caller removes it. */
export async function transpile() {
  const { default: ts } = await import('typescript');
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'faults-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'dist'), join(folder, 'dist'), 'junction');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
  for (const source of SOURCES) {
    for (const name of readdirSync(join(root, source), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(ts|lua|c)$/.test(name)) continue;
      const text = readFileSync(join(root, source, name), 'utf8');
      const target = join(folder, source, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, name.endsWith('.ts') ? ts.transpileModule(text, { compilerOptions }).outputText : text);
    }
  }
  return folder;
}
