import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Life } from '../../src/shared/life.js';

export interface LivingPart {
  readonly name: string;
  /** Builds one, not started. Called for each test; whatever it needs beside itself lives longer than the tests. */
  make(): Life | Promise<Life>;
  /** Builds one whose start cannot succeed (a taken port, a Redis that is not there); undefined = it cannot fail. */
  makeFailing?(): Life | Promise<Life>;
}

/** What every part with a life must stand. `stop` leaving nothing behind = no handle of the process more than before. */
export function conformsToLife({ name, make, makeFailing }: LivingPart): void {
  describe(`the life of ${name}`, () => {
    test('being built has no effect', async () => {
      await leavesNothing(async () => void (await make()));
    });

    test('a second start does nothing, a second stop neither', async () => {
      await leavesNothing(async () => {
        const part = await make();
        await part.start();
        await part.start();
        await Promise.all([part.stop(), part.stop()]);
        await part.stop();
      });
    });

    test('it can be stopped while it starts', async () => {
      await leavesNothing(async () => {
        const part = await make();
        const starting = Promise.resolve(part.start()).catch(() => undefined);
        await part.stop();
        await starting;
      });
    });

    test('it can be stopped without a start, and stays stopped', async () => {
      await leavesNothing(async () => {
        const part = await make();
        await part.stop();
        await part.start();
        await part.stop();
      });
    });

    if (!makeFailing) return;
    test('a start that fails leaves nothing behind', async () => {
      await leavesNothing(async () => {
        const part = await makeFailing();
        await Promise.resolve(part.start()).catch(() => undefined);
        await part.stop();
      });
    });
  });
}

async function leavesNothing(live: () => Promise<void>): Promise<void> {
  const before = resources();
  await live();
  const more = (): string[] => [...resources()].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(String);
  // a closed socket leaves the list a turn of the event loop later; a timer that is left must not get the time to fire
  for (let turn = 0; turn < 20 && more().length > 0; turn += 1) await sleep(10);
  expect(more()).toEqual([]);
}

/** Kind of handle or request that keeps this process alive → how many. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
