import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { isRunning } from '../../../../../supervisor/workers/process/process-running.js';
import { waitFor } from '../../../../support/wait-for.js';

const started: { kill(signal: 'SIGKILL'): unknown }[] = [];
afterEach(() => started.splice(0).forEach((child) => child.kill('SIGKILL')));

/** Starts a shell script; its first line of output is a pid. */
async function pidFrom(script: string): Promise<number> {
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return Number(line);
}

describe('isRunning', () => {
  it('is true for a living process, ours or not', async () => {
    expect(isRunning(process.pid)).toBe(true);
    expect(isRunning(await pidFrom('echo $$; exec sleep 60'))).toBe(true);
  });

  it('is false for a process that is gone', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    expect(isRunning(child.pid ?? 0)).toBe(false);
  });

  it.skipIf(process.platform !== 'linux')(
    'is false for a zombie: its parent became a program that never looks',
    async () => {
      // a shell would look; the child waits until it has become something else
      const child = `sh -c 'until grep -q sleep /proc/$PPID/comm; do sleep 0.01; done'`;
      const zombie = await pidFrom(`${child} & echo $!; exec sleep 60`);
      await waitFor(() => !isRunning(zombie), { what: 'the child to end' });
      expect(() => process.kill(zombie, 0)).not.toThrow();
    },
  );
});
