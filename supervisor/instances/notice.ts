/** The file by which this supervisor is found: written when it runs, made again when it vanishes, removed at its end. */
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { reasonOf } from '../../src/shared/errors.js';
import type { Life } from '../../src/shared/life.js';
import type { Log } from '../../src/shared/logger/log.js';
import type { Clock, Timer } from '../../src/shared/time/clock.js';
import { makePrivate } from '../admin/runtime-folder.js';
import { instanceText, type Instance } from './instance.js';

interface NoticeOptions {
  /** The best first. */
  readonly places: readonly string[];
  readonly instance: Instance;
  readonly log: Log;
  readonly clock: Clock;
}

const LOOK_EVERY_MS = 1_000;

export class InstanceNotice implements Life {
  readonly #options: NoticeOptions;
  #path: string | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: NoticeOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#stopped || this.#timer) return;
    this.#leave();
    this.#timer = this.#options.clock.every(LOOK_EVERY_MS, () => {
      if (this.#path !== undefined && !isThere(this.#path)) this.#leave();
    });
  }

  async stop(): Promise<void> {
    this.release();
  }

  /** Synchronous, because it is also called while the process exits. */
  release(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    if (this.#path !== undefined) rmSync(this.#path, { force: true });
    this.#path = undefined;
  }

  /** Nothing else depends on it: what cannot be written is said, and the supervisor runs. */
  #leave(): void {
    const { places, instance, log } = this.#options;
    const troubles: string[] = [];
    this.#path = undefined;
    for (const folder of places) {
      try {
        this.#path = write(folder, instance);
        return;
      } catch (error) {
        troubles.push(reasonOf(error));
      }
    }
    log.info(`Commands find this supervisor in its own folder only: ${troubles.join('; ')}`);
  }
}

function write(folder: string, instance: Instance): string {
  makePrivate(folder);
  const path = join(folder, `supervisor-${instance.port}-${process.pid}.json`);
  const draft = `${path}.part`;
  try {
    writeFileSync(draft, instanceText(instance), { mode: 0o600 });
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
  return path;
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
