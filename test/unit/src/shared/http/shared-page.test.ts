import { expect, test } from 'vitest';
import { SharedPage } from '../../../../../src/shared/http/shared-page.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

test('whoever asks while a page is made gets the next one, never an older one', async () => {
  const clock = new VirtualClock();
  const made: ((page: string) => void)[] = [];
  const make = () => new Promise<string>((resolve) => made.push(resolve));
  const page = new SharedPage({ make, everyMs: 250, clock });
  const [first, also] = [page.read(), page.read()];
  await clock.advance(0);
  const later = page.read();
  await clock.advance(1_000);
  expect(made).toHaveLength(1);
  made[0]?.('one');
  expect([await first, await also]).toEqual(['one', 'one']);
  await clock.advance(0);
  made[1]?.('two');
  expect(await later).toBe('two');
});

test('a making that fails is told to those who waited for it, and to nobody else', async () => {
  const clock = new VirtualClock();
  let tries = 0;
  const make = () => {
    tries += 1;
    if (tries === 1) throw new Error('no');
    return 'page';
  };
  const page = new SharedPage({ make, everyMs: 250, clock });
  await expect(page.read()).rejects.toThrow('no');
  const again = page.read();
  await clock.advance(250);
  expect(await again).toBe('page');
});
