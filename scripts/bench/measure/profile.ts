/** Reads what `node --cpu-prof` wrote. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Of each sample, µs since the one before. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

export interface SelfTime {
  readonly where: string;
  readonly micros: number;
  /** Of the time that the process was not idle. */
  readonly share: number;
}

const NOT_WORK = new Set(['(idle)', '(root)']);

/** The functions of process `pid` that took most time themselves, without what they called. */
export async function topSelfTimes(folder: string, pid: number, count: number): Promise<SelfTime[]> {
  const name = (await readdir(folder)).find((file) => file.split('.')[3] === String(pid));
  if (name === undefined) throw new Error(`Process ${pid} wrote no CPU profile into ${folder}.`);
  const profile = JSON.parse(await readFile(join(folder, name), 'utf8')) as CpuProfile;
  const frames = new Map(profile.nodes.map((node) => [node.id, placeOf(node)]));
  const times = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const where = frames.get(id) ?? '(unknown)';
    if (!NOT_WORK.has(where)) times.set(where, (times.get(where) ?? 0) + (profile.timeDeltas[index] ?? 0));
  }
  const total = [...times.values()].reduce((sum, micros) => sum + micros, 0);
  return [...times]
    .map(([where, micros]) => ({ where, micros, share: micros / total }))
    .sort((a, b) => b.micros - a.micros)
    .slice(0, count);
}

function placeOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName || '(anonymous)';
  if (url === '') return name;
  const file = url.startsWith('node:') ? url : shortened(url);
  return `${name} ${file}:${lineNumber + 1}`;
}

/** From the package or the part of the product on. */
function shortened(url: string): string {
  const inside = /\/node_modules\/(.*)$/.exec(url) ?? /\/dist\/(.*)$/.exec(url);
  return inside?.[1] ?? basename(url);
}
