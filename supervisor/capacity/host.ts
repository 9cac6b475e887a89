import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Host } from './model.js';

const CPU_QUOTA_FILE = '/sys/fs/cgroup/cpu.max';

/** What this process may use: a container is usually smaller than its machine. */
export function hostOf(): Host {
  const limit = process.constrainedMemory();
  return {
    cores: Math.min(availableParallelism(), cpuQuota(readQuota()) ?? Infinity),
    // 0 or 2^64 - 1 when there is no limit
    memoryBytes: limit > 0 ? Math.min(limit, totalmem()) : totalmem(),
  };
}

/** Cores that a cgroup (version 2) allows, at least one; undefined = no limit. @param text such as `150000 100000` */
export function cpuQuota(text: string): number | undefined {
  const [quota, period] = text.trim().split(' ').map(Number);
  return quota !== undefined && period !== undefined && quota > 0 ? Math.max(1, Math.floor(quota / period)) : undefined;
}

function readQuota(): string {
  try {
    return readFileSync(CPU_QUOTA_FILE, 'utf8');
  } catch {
    return ''; // no Linux, or cgroups of version 1
  }
}
