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
