import { printable } from '../../src/shared/words/escape.js';
import { RequestError } from './route.js';

/** One field of a request's body or query. */
export interface Field<T> {
  /** Completes "it must be ...". */
  readonly expects: string;
  /** undefined = does not fit. */
  read(value: unknown): T | undefined;
}

/** How each field of a request of the protocol is read. */
export type Fields<Shape> = { readonly [Name in keyof Shape]-?: Field<Exclude<Shape[Name], undefined>> };

/**
 * The fields that were given, checked. An unknown one is refused: `{"older_then_seconds": 60}` must not purge everything.
 *
 * @throws RequestError 400 naming the field and what would be right.
 */
export function readFields<Shape extends object>(
  given: Readonly<Record<string, unknown>>,
  fields: Fields<Shape>,
): Partial<Shape> {
  const result: Partial<Shape> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(fields, name)) {
      const known = Object.keys(fields).join(', ') || 'none';
      throw new RequestError(400, `There is no field ${quoted(name)} here; known are: ${known}.`);
    }
    const field = fields[name as keyof Shape];
    const read = field.read(value);
    if (read === undefined) throw new RequestError(400, `${name} is ${quoted(value)}; it must be ${field.expects}.`);
    result[name as keyof Shape] = read;
  }
  return result;
}

export function wholeNumber(min: number, max: number): Field<number> {
  return {
    expects: `a whole number from ${min} to ${max}`,
    read: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined,
  };
}

export const seconds: Field<number> = {
  expects: 'a number of seconds, 0 or more',
  read: (value) => (typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined),
};

export const flag: Field<boolean> = {
  expects: 'true or false',
  read: (value) => {
    if (value === 'true' || value === 'false') return value === 'true';
    return typeof value === 'boolean' ? value : undefined;
  },
};

export function oneOf<T extends string>(values: readonly T[]): Field<T> {
  return { expects: `one of ${values.join(', ')}`, read: (value) => values.find((known) => known === value) };
}

/** In a query digits come as a number; an id may consist of digits. */
export const word: Field<string> = {
  expects: 'a text that is not empty',
  read: (value) =>
    typeof value === 'number' ? String(value) : typeof value === 'string' && value !== '' ? value : undefined,
};

export const texts: Field<readonly string[]> = {
  expects: 'a list of texts',
  read: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string') ? value : undefined,
};

function quoted(value: unknown): string {
  return printable(JSON.stringify(value) ?? 'undefined', 80);
}
