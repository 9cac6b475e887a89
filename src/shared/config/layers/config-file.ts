import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';

import type { Findings, Given } from './layer.js';
import { NoTextError, readText } from './text-file.js';
import { packageRoot } from '../package-root.js';

/** Looked for in the working directory, in this order, when no file is named. */
export const USUAL_PLACES = ['config/config.yaml', 'config.yaml'];

export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** As sentences name it: relative when it lies below the working directory. */
  readonly label: string;
  readonly text: string;
}

/** Finds and reads the configuration file: the named one, else a usual place, else the one shipped. */
export function readConfigFile(named: Given | undefined, cwd: string, findings: Findings): ConfigFile | undefined {
  const candidates = [...USUAL_PLACES.map((place) => join(cwd, place)), join(packageRoot, 'config', 'config.yaml')];
  const path = named === undefined ? candidates.find((place) => existsSync(place)) : resolve(cwd, named.text);
  if (path === undefined) return undefined;
  const label = labelOf(path, cwd);
  try {
    return { path, label, text: readText(path) };
  } catch (error) {
    if (!(error instanceof NoTextError)) throw error;
    const cause = error.message;
    const wanted = 'it must be a readable YAML file';
    findings.problems.push(
      named === undefined
        ? `${label} cannot be read (${cause}); ${wanted}.`
        : `${named.where} names ${label}, which cannot be read (${cause}); ${wanted}.`,
    );
    return undefined;
  }
}

function labelOf(path: string, cwd: string): string {
  const fromHere = relative(cwd, path);
  return fromHere === '' || fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}
