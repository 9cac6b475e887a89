import { FormatError, type Format, type Range, type ScalarSchema } from './format.js';

/** Kubernetes sets `<SERVICE>_PORT=tcp://…` for each Service, so a Service named `redis` sets REDIS_PORT. */
const SERVICE_LINK = /^tcp:\/\//;
const SERVICE_LINK_HINT =
  'Kubernetes sets such a variable for a Service of that name; enableServiceLinks: false in the pod stops it.';

export function integer({ min, max }: Range): Format<number> {
  return {
    expects: `a whole number from ${min} to ${max}`,
    parse(text) {
      const digits = text.trim();
      if (SERVICE_LINK.test(digits)) throw new FormatError(SERVICE_LINK_HINT);
      if (!/^(0|[1-9]\d{0,14})$/.test(digits)) throw new FormatError();
      return within(Number(digits), { min, max });
    },
    print: String,
    schema: numeric('integer', { min, max }),
  };
}

/** A number may stand in quotes, as a text does. */
function numeric(type: 'integer' | 'number', { min, max }: Range): ScalarSchema {
  return {
    anyOf: [
      { type, minimum: min, maximum: max },
      { type: 'string', pattern: String.raw`^\s*\d[\d.]*\s*$` },
    ],
  };
}

export const port = integer({ min: 1, max: 65_535 });

/** Text in seconds, decimals allowed; value in whole milliseconds. The range is in seconds. */
export function seconds({ min, max }: Range): Format<number> {
  return {
    expects: `a number of seconds from ${min} to ${max}`,
    parse(text) {
      const digits = text.trim();
      if (!/^\d{1,9}(\.\d{1,6})?$/.test(digits)) throw new FormatError();
      return Math.round(within(Number(digits), { min, max }) * 1000);
    },
    print: (ms) => String(ms / 1000),
    schema: numeric('number', { min, max }),
  };
}

/** Messages per second, decimals allowed; 0 = no limit. */
export const rate: Format<number> = {
  expects: 'a number of messages per second from 0.01 to 100000, or 0 for no limit',
  parse(text) {
    const digits = text.trim();
    if (!/^\d{1,6}(\.\d{1,6})?$/.test(digits)) throw new FormatError();
    return Number(digits) === 0 ? 0 : within(Number(digits), { min: 0.01, max: 100_000 });
  },
  print: String,
  schema: numeric('number', { min: 0, max: 100_000 }),
};

const MEBIBYTE = 2 ** 20;
const BYTES_PER_SUFFIX: Readonly<Record<string, number>> = { K: 2 ** 10, M: MEBIBYTE, G: 2 ** 30, T: 2 ** 40 };
/** Nothing this program runs on has more; a size in plain bytes, written by mistake, lands above it. */
const LARGEST_SIZE = 2 ** 40;

/** A worker takes up to 90 MB at rest: with less it would be replaced as soon as it has started, again and again. */
const SMALLEST_LIMIT = 128 * MEBIBYTE;

/** A plain number, or one with a unit. */
const SIZE: ScalarSchema = {
  anyOf: [
    { type: 'number', minimum: 0 },
    { type: 'string', pattern: String.raw`^\s*\d[\d.]*([KMGTkmgt]([iI]?[bB])?)?\s*$` },
  ],
};

export const memoryLimit = sizeLimit(SMALLEST_LIMIT);

/** With less a busy day's log would begin anew every few seconds. */
export const fileSizeLimit = sizeLimit(MEBIBYTE);

/** `512` and `512M` are 512 MiB, `1.5G` is 1536 MiB; value in bytes, 0 = no limit. */
function sizeLimit(min: number): Format<number> {
  const print = (bytes: number): string => (bytes === 0 ? '0' : `${Number((bytes / MEBIBYTE).toFixed(3))}M`);
  return {
    expects: `a number of megabytes or a size such as 512M or 1G, from ${print(min)} to 1T, or 0 for no limit`,
    parse(text) {
      const match = /^(\d{1,12}(?:\.\d{1,6})?)(?:([KMGT])(?:i?B)?)?$/i.exec(text.trim());
      if (match === null) throw new FormatError();
      const unit = BYTES_PER_SUFFIX[match[2]?.toUpperCase() ?? 'M'] ?? MEBIBYTE;
      const bytes = Number(match[1]) * unit;
      return bytes === 0 ? 0 : Math.round(within(bytes, { min, max: LARGEST_SIZE }));
    },
    print,
    schema: SIZE,
  };
}

/** Redis takes no value of more than 512 MB. */
const MESSAGE_SIZES: Range = { min: 2 ** 16, max: 512 * MEBIBYTE };

export const messageSize: Format<number> = {
  expects: 'a number of bytes or a size such as 512K or 64M, from 64K to 512M',
  parse(text) {
    const match = /^(\d{1,12})(?:([KM])(?:i?B)?)?$/i.exec(text.trim());
    if (match === null) throw new FormatError();
    return within(Number(match[1]) * (BYTES_PER_SUFFIX[match[2]?.toUpperCase() ?? ''] ?? 1), MESSAGE_SIZES);
  },
  print: (bytes) => (bytes % MEBIBYTE === 0 ? `${bytes / MEBIBYTE}M` : String(bytes)),
  schema: SIZE,
};

export const sideBooksSize: Format<number> = {
  expects: 'a number of megabytes or a size such as 128M or 1G, from 1M to 1T, or 0 to keep none',
  parse: (text) => fileSizeLimit.parse(text),
  print: (bytes) => fileSizeLimit.print(bytes),
  schema: SIZE,
};

/** In any case: JSON Schema has no flag i. */
function words(known: readonly string[]): ScalarSchema {
  const inAnyCase = known.map((word) =>
    word.replace(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`),
  );
  return { type: 'string', pattern: String.raw`^\s*(${inAnyCase.join('|')})\s*$` };
}

const TRUE_WORDS = ['true', 'yes', 'on', '1'];
const FALSE_WORDS = ['false', 'no', 'off', '0'];

export const boolean: Format<boolean> = {
  expects: 'true or false (also yes/no, on/off, 1/0)',
  parse(text) {
    const word = text.trim().toLowerCase();
    if (TRUE_WORDS.includes(word)) return true;
    if (FALSE_WORDS.includes(word)) return false;
    throw new FormatError();
  },
  print: String,
  schema: { anyOf: [{ type: 'boolean' }, { enum: [0, 1] }, words([...TRUE_WORDS, ...FALSE_WORDS])] },
};

/** One of a few words, in any case; `aliases` maps further spellings to them. */
export function oneOf<T extends string>(known: readonly T[], aliases: ReadonlyMap<string, T> = new Map()): Format<T> {
  return {
    expects: `one of ${known.join(', ')}`,
    parse(text) {
      const given = text.trim().toLowerCase();
      const word = known.find((candidate) => candidate.toLowerCase() === given) ?? aliases.get(given);
      if (word === undefined) throw new FormatError();
      return word;
    },
    print: String,
    // an editor offers what is in `enum`
    schema: { anyOf: [{ enum: known }, words([...known, ...aliases.keys()])] },
  };
}

/** A text that looks like a number need not stand in quotes. */
export const ANY_SCALAR: ScalarSchema = { type: ['string', 'number', 'boolean'] };

/** Any text, kept to the byte: passwords may begin or end with a blank. */
export const anyText: Format<string> = {
  expects: 'a text',
  parse: (text) => text,
  print: String,
  empty: '',
  schema: ANY_SCALAR,
};

/** Text that must match `pattern` as a whole. */
export function matching(pattern: RegExp, expects: string): Format<string> {
  return {
    expects,
    parse(text) {
      if (!pattern.test(text)) throw new FormatError();
      return text;
    },
    print: String,
    empty: '',
    schema: { anyOf: [{ type: 'string', pattern: pattern.source }, { type: ['number', 'boolean'] }] },
  };
}

function within(value: number, { min, max }: Range): number {
  if (value < min || value > max) throw new FormatError();
  return value;
}

/** A queue name must not hold braces: the names derived from it are `{name}:retry` and so on, a cluster's hash tag. */
export const queueName = matching(/^[^\s{}\p{Cc}]{1,200}$/u, 'a name without blanks and braces');
