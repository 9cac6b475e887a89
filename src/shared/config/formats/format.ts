/**
 * How the text of a setting becomes its value.
 *
 * Every layer (flag, variable, file, default) hands over text and goes through the same parser, so `12abc`, an empty
 * variable or `0` for a boolean can never pass for something they do not say.
 */
export interface Format<T> {
  /** What would be right, to follow "must be": "a whole number from 1 to 65535". */
  readonly expects: string;
  /** Throws FormatError. Never sees an empty text: empty means "not set" in every layer. */
  parse(text: string): T;
  /** The value as an operator would write it. */
  print(value: T): string;
  /** The text without what must not be shown (a password in a URL), for the sentence about a bad value. */
  mask?(text: string): string;
  /** The value of a setting whose default is the empty text. */
  readonly empty?: T;
  /** For editors: JSON Schema (2020-12) of the scalar in config.yaml. Takes whatever `parse` takes, and perhaps more. */
  readonly schema: ScalarSchema;
}

/** The keywords of JSON Schema that say what a scalar may be. */
export interface ScalarSchema {
  readonly type?: ScalarType | readonly ScalarType[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly (string | number | boolean)[];
  /** ECMAScript, with the flag u. */
  readonly pattern?: string;
  readonly anyOf?: readonly ScalarSchema[];
}

type ScalarType = 'integer' | 'number' | 'string' | 'boolean';

/** The text does not fit. `hint` is a sentence on the likely cause, where there is one. */
export class FormatError extends Error {
  constructor(readonly hint = '') {
    super('The value does not fit its format.');
    this.name = 'FormatError';
  }
}

export interface Range {
  readonly min: number;
  readonly max: number;
}
