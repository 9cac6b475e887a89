/** Variables by name; the empty text and a missing name are the same: not set. */
export type Lookup = (name: string) => string | undefined;

type Interpolated =
  | { readonly kind: 'text'; readonly text: string }
  /** A variable without a default is not set: the key counts as not written. */
  | { readonly kind: 'unset' }
  /** A `${` that begins no reference. */
  | { readonly kind: 'malformed' };

const REFERENCE = /\$\$|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}`; `$$` stands for one dollar sign, any other `$` for itself.
 *
 * It runs on the single values of the parsed file, never on its raw text, so a `#`, `:` or quote in a password
 * cannot change the meaning of the file.
 */
export function interpolate(text: string, lookup: Lookup): Interpolated {
  let unset = false;
  let malformed = false;
  const result = text.replace(REFERENCE, (match: string, name?: string, fallback?: string) => {
    if (match === '$$') return '$';
    if (name === undefined) {
      malformed = true;
      return match;
    }
    const value = lookup(name) ?? fallback;
    if (value === undefined) unset = true;
    return value ?? '';
  });
  if (malformed) return { kind: 'malformed' };
  return unset ? { kind: 'unset' } : { kind: 'text', text: result };
}
