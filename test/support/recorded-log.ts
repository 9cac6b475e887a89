import type { Log } from '../../src/shared/logger/log.js';

/** A log that a test reads: `WARNING text` and so on, in order. */
export interface RecordedLog extends Log {
  readonly lines: string[];
  /** How many lines match. */
  count(pattern: RegExp): number;
}

export function recordedLog(): RecordedLog {
  const lines: string[] = [];
  const at = (level: string) => (text: string) => void lines.push(`${level} ${text}`);
  return {
    lines,
    count: (pattern) => lines.filter((line) => pattern.test(line)).length,
    debug: at('DEBUG'),
    info: at('INFO'),
    warn: at('WARNING'),
    error: at('ERROR'),
  };
}
