// Makes the page what a browser loads of it: one script, one style sheet, the markup and the icons. Its map is beside the
// script; only who opens a debugger asks for it.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SOURCE = join(root, 'supervisor', 'dashboard', 'page');
const TARGET = join(root, 'dist', 'supervisor', 'dashboard', 'page');
const UPLOT = dirname(createRequire(import.meta.url).resolve('uplot'));
/** The minifier drops comments; the licence asks that this one stays. */
const NOTICE = '/*! With uPlot, Copyright (c) Leon Sorokin, MIT licensed: https://github.com/leeoniya/uPlot */';

// an earlier build may have left files that are no part of the page any more
rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET, { recursive: true });

const bundle = await rolldown({
  input: join(SOURCE, 'page.ts'),
  cwd: root,
  platform: 'browser',
  tsconfig: false,
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  // TypeScript has checked the names; a warning is something that would only show in the browser
  onLog(level, log) {
    throw new Error(`${level}: ${log.message}`);
  },
});
await bundle.write({
  file: join(TARGET, 'page.js'),
  format: 'es',
  minify: true,
  sourcemap: true,
  postBanner: NOTICE,
});
await bundle.close();

/** In the order in which they are imported, what is imported first. */
function styleOf(path) {
  const text = readFileSync(path, 'utf8');
  return text.replace(/^@import '([^']+)';\n/gm, (_, name) =>
    styleOf(name === 'uplot' ? join(UPLOT, 'uPlot.min.css') : join(dirname(path), name)),
  );
}

writeFileSync(join(TARGET, 'page.css'), styleOf(join(SOURCE, 'page.css')));
for (const name of ['page.html', 'icons']) cpSync(join(SOURCE, name), join(TARGET, name), { recursive: true });
