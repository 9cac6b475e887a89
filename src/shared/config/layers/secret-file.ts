import { resolve } from 'node:path';

import type { Findings, Given } from './layer.js';
import { NoTextError, readText } from './text-file.js';

/** Reads a secret from the file that `named` names. The newline that editors and `echo` leave at the end is no part of it. */
export function readSecretFile(named: Given, cwd: string, findings: Findings): Given | undefined {
  const path = named.text;
  let text: string;
  try {
    text = readText(resolve(cwd, path)).replace(/\r?\n$/, '');
  } catch (error) {
    if (!(error instanceof NoTextError)) throw error;
    findings.problems.push(`${named.where} names ${path}, which cannot be read (${error.message}).`);
    return undefined;
  }
  if (text === '') {
    findings.problems.push(`${named.where} names ${path}, which is empty; it must hold the secret.`);
    return undefined;
  }
  return { text, where: `${path}, named by ${named.where},` };
}
