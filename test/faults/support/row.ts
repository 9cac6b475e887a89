import type { ProgramRequest } from '../../../scripts/local/find-program.js';
import type { RedisOptions } from '../../../scripts/local/redis-process.js';
import type { Stage } from './stage.js';

/** One line of the fault matrix: a real fault, what must hold afterwards, and the bounds that decide. */
export interface Row {
  /** Number in the matrix, with a letter when the row needs several runs: 6b. */
  readonly id: string;
  readonly fault: string;
  /** The bound in words, as the table shows it. */
  readonly bound: string;
  readonly limits?: Limits;
  /** Measures throughput or a time of less than 3 s, so nothing else may run beside it. */
  readonly alone?: boolean;
  /** Programs beside Redis (support/programs.ts). */
  readonly needs?: readonly ProgramRequest[];
  /** Of the stage's Redis; default: memory only. */
  readonly redis?: RedisOptions;
  /** What `npm run test:faults -- --full` plays in its place: the figures of the matrix that take too long for CI. */
  readonly full?: FullSize;
  run(stage: Stage): Promise<Findings | void>;
}

/** The parts of a row that differ. */
export interface FullSize extends Partial<Pick<Row, 'fault' | 'bound' | 'limits'>> {
  /** In place of the 3 min that a row may take. */
  readonly limitMs: number;
  run: Row['run'];
}

/** The row as `--full` plays it; one without full figures is the same. */
export function atFullSize({ full, ...row }: Row): Row {
  return { ...row, ...full };
}

export interface Limits {
  /** POSTs for ids that were answered with 2xx before; default 0. */
  readonly duplicates?: number;
  /** Longest recovery, ms. */
  readonly recoveryMs?: number;
  /** Dead letters there must be at the end; default 0. */
  readonly dead?: number;
}

/** What a row measured beside the ledger. */
export interface Findings {
  /** From the fault, or from its end where the row says so. */
  readonly recoveryMs?: number;
  /** In place of `limits.duplicates`, when it depends on the run. */
  readonly duplicatesAllowed?: number;
  /** Ids that Redis itself was told to forget (FLUSHALL, failover): reported, not held against us. */
  readonly lostByRedis?: ReadonlySet<string>;
  readonly note?: string;
}

/** What a row's process tells the runner. */
export interface RowResult {
  readonly id: string;
  readonly fault: string;
  readonly bound: string;
  readonly produced: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly recoveryMs: number | null;
  readonly note: string;
  /** Empty = passed. */
  readonly problems: readonly string[];
  /** Last lines of the program's output, for a row that failed. */
  readonly tail: readonly string[];
}
