import { AsyncResource, createHook, executionAsyncId } from 'node:async_hooks';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Life } from '../../src/shared/life.js';
import { waitFor } from './wait-for.js';

interface LivingPart {
  readonly name: string;
  /** Builds one, not started. Called for each test; whatever it needs beside itself lives longer than the tests. */
  make(): Life | Promise<Life>;
  /** Builds one whose start cannot succeed (a taken port, a Redis that is not there); undefined = it cannot fail. */
  makeFailing?(): Life | Promise<Life>;
}

const LATE_TURNS = 5;

/** What every part with a life must stand. Nothing left behind = nothing that the part made keeps the process alive. */
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
        const starting = started(part).catch(() => undefined);
        await part.stop();
        await starting;
      });
    });

    test('it can be stopped without a start, and stays stopped', async () => {
      await leavesNothing(async () => {
        const part = await make();
        await part.stop();
        await part.start();
      });
    });

    if (!makeFailing) return;
    test('a start that fails leaves nothing behind', async () => {
      await leavesNothing(async () => {
        const part = await makeFailing();
        await started(part).catch(() => undefined);
        await part.stop();
      });
    });
  });
}

/** A start that throws rejects here, too. */
async function started(part: Life): Promise<void> {
  await part.start();
}

async function leavesNothing(live: () => Promise<void>): Promise<void> {
  const alive = watchResources();
  try {
    await alive.by(live);
    await alive.outside(async () => {
      // what a part does a few turns later counts, too
      for (let turn = 0; turn < LATE_TURNS; turn += 1) await endOfTurn();
      // a closed socket leaves a turn of the event loop later, one that is told to end when the other end has answered
      await waitFor(() => alive.left().length === 0, { what: 'an end' }).catch(() => undefined);
    });
    expect(alive.left()).toEqual([]);
  } finally {
    alive.forget();
  }
}

interface Referenced {
  hasRef(): boolean;
}

/** Timers, sockets, processes, ... that were made by what `by` runs, or by what that set going, and keep this process alive. */
function watchResources() {
  const outside = new AsyncResource('the test');
  const inside = new AsyncResource('the part');
  const family = new Set([inside.asyncId()]);
  const resources = new Map<number, { readonly kind: string; readonly resource: Partial<Referenced> }>();
  const hook = createHook({
    init(id, kind, trigger, resource: Partial<Referenced>) {
      if (!family.has(trigger) && !family.has(executionAsyncId())) return;
      family.add(id);
      if (typeof resource.hasRef === 'function') resources.set(id, { kind, resource });
    },
    destroy: (id) => void resources.delete(id),
  }).enable();
  return {
    by: (live: () => Promise<void>): Promise<void> => inside.runInAsyncScope(live),
    outside: (look: () => Promise<void>): Promise<void> => outside.runInAsyncScope(look),
    /** The kind of each. */
    left: (): string[] => [...resources.values()].filter(({ resource }) => resource.hasRef?.()).map(({ kind }) => kind),
    forget: () => hook.disable(),
  };
}
