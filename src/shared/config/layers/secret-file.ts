import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { causeOf } from './file-error.js';
import type { Findings, Given } from './layer.js';

/** Reads a secret from the file that `named` names. The newline that editors and `echo` leave at the end is no part of it. */
export function readSecretFile(named: Given, cwd: string, findings: Findings): Given | undefined {
  const path = named.text;
  let text: string;
  try {
    text = readFileSync(resolve(cwd, path), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    findings.problems.push(`${named.where} names ${path}, which cannot be read (${causeOf(error)}).`);
    return undefined;
  }
  if (text === '') {
    findings.problems.push(`${named.where} names ${path}, which is empty; it must hold the secret.`);
    return undefined;
  }
  return { text, where: `${path}, named by ${named.where},` };
}
