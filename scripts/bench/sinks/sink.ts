import { setTimeout as sleep } from 'node:timers/promises';
import type { Life } from '../../../src/shared/life.js';

/** The main server of the benchmark: mutual TLS, answers everything at once, in a process of its own. */
export interface Sink extends Life {
  /** For the report. */
  readonly kind: string;
  /** Known once it is started. */
  readonly url: string;
  /** Requests of any kind answered so far. */
  requests(): Promise<number>;
}

const QUIET_MS = 300;

/** Resolves when no request came for a while: what is told of failures has been. */
export async function quiet(sink: Pick<Sink, 'requests'>): Promise<void> {
  let [before, now] = [-1, await sink.requests()];
  while (now !== before) {
    await sleep(QUIET_MS);
    [before, now] = [now, await sink.requests()];
  }
}
