import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { useInstallation } from '../../support/program/fleet.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { waitFor } from '../../support/wait-for.js';

expectNoLeftovers();
const { ledger, start } = useInstallation();
const REST_MS = 5_000;
/** Of the kernel's accounts in /proc: USER_HZ is 100 on every Linux. */
const TICK_MS = 10;

test.skipIf(process.platform !== 'linux')(
  'after its work a worker rests below 110 MB and 1 % of a core',
  { timeout: 60_000 },
  async () => {
    const fleet = await start({ WORKER_COUNT: 3 });
    const pids = (await fleet.ready(3)).map(({ pid }) => pid ?? 0);
    await ledger.produce(3_000);
    await ledger.quiet(20_000);
    // the garbage of the work is collected during the first seconds of rest: 150 ms at a time, of each worker at times of its own
    let shares = await cpuShares(pids);
    for (let look = 1; look < 6 && Math.max(...shares) >= 0.01; look++) {
      const again = await cpuShares(pids);
      shares = shares.map((share, index) => Math.min(share, again[index] ?? share));
    }
    expect(Math.max(...shares)).toBeLessThan(0.01);
    expect(Math.max(...pids.map(memoryBytes))).toBeLessThan(110e6);
  },
);

/** Of one core, over five seconds. */
async function cpuShares(pids: readonly number[]): Promise<number[]> {
  const before = pids.map(cpuMs);
  const startedAt = performance.now();
  await waitFor(() => performance.now() - startedAt > REST_MS, { what: 'time to pass', deadlineMs: 2 * REST_MS });
  const elapsed = performance.now() - startedAt;
  return pids.map((pid, index) => (cpuMs(pid) - (before[index] ?? 0)) / elapsed);
}

function memoryBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

/** utime + stime, fields 14 and 15; counted from after the name, which may hold spaces. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
