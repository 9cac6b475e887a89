import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach } from 'vitest';

import { loadConfig, type LoadedConfig, type LoadOptions } from '../../../../../src/shared/config/load.js';
import { ConfigError } from '../../../../../src/shared/errors.js';

/** An empty working directory with the given files, removed after the test. */
export function workspace(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'worker-config-'));
  directories.push(directory);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

export interface Given extends Partial<LoadOptions> {
  readonly files?: Readonly<Record<string, string>>;
}

/** Loads in a fresh working directory; what is not given is empty. */
export function load({ files = {}, ...options }: Given): LoadedConfig {
  return loadConfig({ flags: {}, env: {}, cwd: workspace(files), ...options });
}

/** The problems that loading reports; none when it succeeds. */
export function problemsOf(given: Given): readonly string[] {
  try {
    load(given);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
