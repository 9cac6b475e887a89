import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/shared/config/package-root.js';

/** What stands in one of the documents, taken apart. */
interface Document {
  /** Relative to the repository. */
  readonly name: string;
  readonly text: string;
  /** Lines of the fenced blocks in this language. */
  fenced(language: string): string[];
  /** `code` spans of the prose and the tables. */
  readonly spans: readonly string[];
  /** Targets of [text](target). */
  readonly links: readonly string[];
  /** Headings as GitHub's anchors. */
  readonly anchors: readonly string[];
  /** Cells of each table row under the heading, code marks removed; without the head. */
  table(heading: string): string[][];
}

const FENCE = /^ *```(\w+)\n([^]*?)^ *```$/gm;

export function document(name: string): Document {
  const text = readFileSync(join(packageRoot, name), 'utf8');
  const prose = text.replace(FENCE, '');
  return {
    name,
    text,
    fenced: (language) =>
      [...text.matchAll(FENCE)]
        .filter((match) => match[1] === language)
        .flatMap((match) => (match[2] ?? '').split('\n').map((line) => line.trim()))
        .filter((line) => line !== ''),
    spans: [...prose.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''),
    links: [...prose.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? ''),
    anchors: [...prose.matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? '')),
    table: (heading) => tableUnder(prose, heading),
  };
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

function tableUnder(prose: string, heading: string): string[][] {
  const start = prose.split('\n').indexOf(heading);
  if (start < 0) throw new Error(`There is no heading "${heading}"`);
  const rest = prose.split('\n').slice(start + 1);
  const end = rest.findIndex((line) => /^#+ /.test(line));
  const section = end < 0 ? rest : rest.slice(0, end);
  return section
    .filter((line, index) => line.startsWith('| ') && !line.startsWith('| ---') && !isHead(section, index))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.replaceAll('`', '').trim()),
    );
}

function isHead(section: readonly string[], index: number): boolean {
  return section[index + 1]?.startsWith('| ---') === true;
}
