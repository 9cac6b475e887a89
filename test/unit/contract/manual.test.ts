import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import { manual } from '../../support/program/manual.js';

// `npx vitest run test/unit/contract/manual.test.ts -u` writes the page anew
test('the manual page is what the help of the commands makes', async () => {
  await expect(await manual()).toMatchFileSnapshot(join(packageRoot, 'docs', 'message-broker-worker.1'));
});

test('it has every command, and nothing that roff would take for something else', async () => {
  const lines = (await manual()).split('\n');
  for (const command of ['start', 'message show', 'dead replay', 'completion'])
    expect(lines).toContain(`.SS ${command}`);
  expect(lines.filter((line) => /[^ -~]/.test(line))).toEqual([]);
  const requests = new Set(lines.filter((line) => /^[.']/.test(line)).map((line) => line.split(' ')[0]));
  expect([...requests].sort()).toEqual(['.B', '.I', '.RI', '.SH', '.SS', '.TH', '.TP', '.fi', '.nf']);
});
