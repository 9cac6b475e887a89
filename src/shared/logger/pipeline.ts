import { Writable } from 'node:stream';
import winston from 'winston';
import { isStalled } from './console-stream.js';
import { MESSAGE, type DailyLogFile } from './daily-log-file.js';
import type { Batch } from './line-batch.js';

/** Winston with its two transports; lines pass through it finished, many at once. */
export interface Pipeline {
  write(batch: Batch): void;
  /** Resolves when both transports were given everything. */
  end(): Promise<void>;
  /** Lines that a stalled reader of the console did not get. */
  dropped(): number;
}

const LEVEL = Symbol.for('level');

interface Entry extends winston.Logform.TransformableInfo {
  readonly lines: number;
  readonly [MESSAGE]: string;
}

export function createPipeline(stdout: Writable, file: DailyLogFile): Pipeline {
  let dropped = 0;
  const unlessStalled = winston.format((entry) => {
    if (!isStalled(stdout)) return entry;
    dropped += (entry as Entry).lines;
    return false;
  });
  const toFile = new Writable({
    objectMode: true,
    write(entry: Entry, _encoding, callback) {
      file.append({ text: entry[MESSAGE], lines: entry.lines });
      callback();
    },
  });
  const logger = winston.createLogger({
    format: winston.format((entry) => entry)(),
    transports: [
      new winston.transports.Stream({ stream: stdout, eol: '\n', format: unlessStalled() }),
      new winston.transports.Stream({ stream: toFile }),
    ],
    exitOnError: false,
  });
  return {
    write({ text, lines }) {
      // Levels were looked at line by line: 'info' is what winston lets pass.
      logger.write({ level: 'info', message: text, lines, [LEVEL]: 'info', [MESSAGE]: text } satisfies Entry);
    },
    end: () => new Promise((resolve) => logger.end(() => resolve())),
    dropped: () => dropped,
  };
}
