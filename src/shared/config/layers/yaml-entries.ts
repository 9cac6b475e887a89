import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';

import type { ConfigFile } from './config-file.js';
import type { Findings } from './layer.js';

/** One key of the file that holds no keys of its own. */
export interface FileEntry {
  readonly path: string;
  readonly line: number;
  /** The text as written, `0123` included; undefined for no value (`key:`, `~`, `null`); nested = a list or a map. */
  readonly value: string | undefined | { readonly nested: readonly (string | undefined)[] };
}

interface Walk {
  readonly document: Document;
  readonly isSection: (path: string) => boolean;
  readonly lineOf: (node: unknown) => number;
  readonly label: string;
  readonly findings: Findings;
  readonly entries: FileEntry[];
}

/**
 * The file's entries by dotted path. `isSection` says which paths hold keys of their own; below any other path the walk
 * does not go, so aliases cannot lead it in circles.
 *
 * The failsafe schema leaves every scalar the text that stands in the file. Faults are shown without their excerpt of
 * the file and without what follows a colon or a quote: both may hold a password.
 */
export function yamlEntries(file: ConfigFile, isSection: Walk['isSection'], findings: Findings): readonly FileEntry[] {
  const lines = new LineCounter();
  const document = parseDocument(file.text, {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
    // 'silent' would also pass over a second document in the file.
    logLevel: 'error',
  });
  const faults = [...document.errors, ...document.warnings];
  for (const fault of faults) {
    const text = fault.message.replace(/[:"].*$/s, '').trim();
    findings.problems.push(`${file.label}, line ${lines.linePos(fault.pos[0]).line}, is not valid YAML: ${text}.`);
  }
  if (faults.length > 0) return [];
  const lineOf = (node: unknown): number => lines.linePos(isNode(node) ? (node.range?.[0] ?? 0) : 0).line;
  const walk: Walk = { document, isSection, lineOf, label: file.label, findings, entries: [] };
  walkSection(walk, '', document.contents, 1);
  return walk.entries;
}

function walkSection(walk: Walk, path: string, given: unknown, line: number): void {
  const node = resolved(walk, given, line);
  if (!isMap(node)) {
    if (scalarText(node) !== undefined || isSeq(node)) {
      const subject = path === '' ? 'the file' : path;
      walk.findings.problems.push(`${walk.label}, line ${line}: ${subject} must hold keys with values.`);
    }
    return;
  }
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : '?';
    const below = path === '' ? name : `${path}.${name}`;
    if (walk.isSection(below)) walkSection(walk, below, value, walk.lineOf(key));
    else walk.entries.push(entryAt(walk, below, value, walk.lineOf(key)));
  }
}

function entryAt(walk: Walk, path: string, given: unknown, line: number): FileEntry {
  const node = resolved(walk, given, line);
  if (isMap(node)) return { path, line, value: { nested: [undefined] } };
  if (!isSeq(node)) return { path, line, value: scalarText(node) };
  return { path, line, value: { nested: node.items.map((item) => scalarText(resolved(walk, item, line))) } };
}

/** The node that an alias stands for. A password that begins with an asterisk, unquoted, is an alias to nothing. */
function resolved(walk: Walk, given: unknown, line: number): unknown {
  if (!isAlias(given)) return given;
  const node = given.resolve(walk.document);
  if (node === undefined) {
    const advice = 'a text that begins with * must stand in quotes';
    walk.findings.problems.push(`${walk.label}, line ${line}: an alias has no anchor before it; ${advice}.`);
  }
  return node;
}

function scalarText(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  const text = typeof node.value === 'string' ? node.value : '';
  return node.type === 'PLAIN' && /^(~|null|Null|NULL)?$/.test(text) ? undefined : text;
}
