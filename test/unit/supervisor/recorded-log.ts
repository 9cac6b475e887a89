import type { Log } from '../../../src/shared/logger/log.js';

export interface RecordedLog extends Log {
  /** `LEVEL: text` */
  readonly lines: string[];
  readonly levels: string[];
  setLevel(level: string): void;
}

/** A log that keeps what is said, and the levels that are set. */
export function recordedLog(): RecordedLog {
  const lines: string[] = [];
  const levels: string[] = [];
  const at = (level: string) => (text: string) => void lines.push(`${level}: ${text}`);
  return {
    lines,
    levels,
    setLevel: (level) => void levels.push(level),
    debug: at('DEBUG'),
    info: at('INFO'),
    warn: at('WARNING'),
    error: at('ERROR'),
  };
}
