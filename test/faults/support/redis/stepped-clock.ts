import { execFileSync } from 'node:child_process';
import { chmodSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../../../scripts/local/find-program.js';
import { findRedis } from '../../../../scripts/local/find-redis.js';
import { COMPILER } from '../programs.js';
import type { Stage } from '../stage.js';

/** A wall clock that a row steps, for whoever is started with `env`; the monotonic clock goes on as it is. Linux only. */
export class SteppedClock {
  readonly #file: string;
  readonly #descriptor: number;
  readonly #library: string;

  private constructor(file: string, library: string) {
    this.#file = file;
    this.#library = library;
    this.#descriptor = openSync(file, 'w');
    this.stepTo(0);
  }

  /** One of several of a row has a name of its own. */
  static async make(stage: Stage, name = 'stepped-clock'): Promise<SteppedClock> {
    const file = join(stage.folder, name);
    const { path } = await findProgram(COMPILER);
    const source = fileURLToPath(new URL('stepped-clock.c', import.meta.url));
    execFileSync(path, ['-shared', '-fPIC', '-O1', '-o', `${file}.so`, source]);
    return new SteppedClock(file, `${file}.so`);
  }

  get env(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#library, STEPPED_CLOCK: this.#file };
  }

  /** From the true time, at once. */
  stepTo(seconds: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    writeSync(this.#descriptor, bytes, 0, bytes.length, 0);
  }

  /** A command that starts a redis-server under this clock. */
  async redisBinary(): Promise<string> {
    const { path } = await findRedis({ install: false });
    const script = `${this.#file}-redis`;
    const settings = Object.entries(this.env).map(([name, value]) => `export ${name}='${value}'`);
    writeFileSync(script, ['#!/bin/sh', ...settings, `exec '${path}' "$@"`, ''].join('\n'));
    chmodSync(script, 0o755);
    return script;
  }
}
