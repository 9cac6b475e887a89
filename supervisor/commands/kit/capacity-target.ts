import { usageError } from './command.js';

const TARGET = /^(\d{1,12}(?:\.\d{1,6})?)(?:\/(second|minute|hour|day))?$/;
const SECONDS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3_600, day: 86_400 };

/** `50`, `50/second`, `3000/minute`, `100000/day` as messages per second. @throws CommandError */
export function parseTarget(text: string): number {
  const [, count, unit = 'second'] = TARGET.exec(text) ?? [];
  const target = Number(count) / (SECONDS[unit] ?? NaN);
  if (target > 0) return target;
  throw usageError(
    `--target is ${JSON.stringify(text)}; give messages per second, as in 50, or per day, as in 100000/day.`,
  );
}
