import { printable } from '../words/escape.js';
import type { Clock } from '../time/clock.js';
import type { LogLevel } from '../config/config.js';

interface LineFormatOptions {
  readonly format: 'text' | 'json';
  /** The [worker-1] tag. */
  readonly name: string;
  readonly clock: Clock;
}

/** One line without its newline. Whatever the text holds, the result holds no line break and no control character. */
type LineFormat = (level: LogLevel, text: string) => string;

/** UTF-16 units; longer texts are cut, so that one message cannot fill the log. */
const MAX_TEXT = 16 * 1024;

const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const satisfies readonly LogLevel[];
const MILLISECONDS = Array.from({ length: 1000 }, (_, ms) => String(ms).padStart(3, '0'));

export function createLineFormat(options: LineFormatOptions): LineFormat {
  return options.format === 'json' ? jsonLine(options) : textLine(options);
}

/** `2025-01-15` in local time: also what stands in the names of the files. */
export function localDate(epochMs: number): string {
  const date = new Date(epochMs);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The original's shape, made by its logging module: `2025-01-15 10:30:45,123 - worker - INFO - [worker-1] - text`. */
function textLine({ name, clock }: LineFormatOptions): LineFormat {
  const tag = printable(name, MAX_TEXT);
  const middle = byLevel((level) => ` - worker - ${level} - [${tag}] - `);
  const timestamp = createTimestamp(clock, localSecond, ',');
  return (level, text) => timestamp() + middle[level] + printable(oneLine(text), MAX_TEXT);
}

function jsonLine({ name, clock }: LineFormatOptions): LineFormat {
  const middle = byLevel((level) => `Z","level":"${level}","logger":"worker","worker_id":${json(name)},"message":`);
  const timestamp = createTimestamp(clock, (ms) => new Date(ms).toISOString().slice(0, 19), '.');
  return (level, text) => `{"timestamp":"${timestamp()}${middle[level]}${json(text)}}`;
}

/** Formatting a date costs more than the rest of the line, so it is done once per second. */
function createTimestamp(clock: Clock, formatSecond: (epochMs: number) => string, separator: string): () => string {
  let second = Number.NaN;
  let formatted = '';
  return () => {
    const now = Math.floor(clock.wallNow());
    const current = Math.floor(now / 1000);
    if (current !== second) {
      second = current;
      formatted = formatSecond(current * 1000) + separator;
    }
    return formatted + MILLISECONDS[now - current * 1000];
  };
}

function localSecond(epochMs: number): string {
  const date = new Date(epochMs);
  return `${localDate(epochMs)} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The line ends of a stack trace in the shape everybody knows; printable() shows the other control characters. */
function oneLine(text: string): string {
  return text.includes('\n') ? text.replace(/\r?\n/g, '\\n') : text;
}

/** JSON.stringify leaves the characters on which terminals and line readers act beyond the ASCII ones. */
function json(text: string): string {
  const shown = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return JSON.stringify(shown).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, i) => `\\u${hex4(character.charCodeAt(i))}`).join(''),
  );
}

function hex4(code: number): string {
  return code.toString(16).padStart(4, '0');
}

function byLevel(make: (level: LogLevel) => string): Readonly<Record<LogLevel, string>> {
  return Object.fromEntries(LEVELS.map((level) => [level, make(level)])) as Record<LogLevel, string>;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
