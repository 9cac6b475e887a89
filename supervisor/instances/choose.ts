/** Which of the running supervisors a command means. */
import { resolve } from 'node:path';

import type { FoundInstance } from './find.js';

export interface Wanted {
  /** SUPERVISOR_PORT, as it was written. */
  readonly instance?: string | undefined;
  readonly directory?: string | undefined;
}

type Chosen =
  | { readonly kind: 'instance'; readonly instance: FoundInstance }
  | { readonly kind: 'none' }
  | { readonly kind: 'several'; readonly instances: readonly FoundInstance[] };

/**
 * The one that runs in this folder. Another user's is none: which folder that runs in, its file says.
 *
 * @param port as in `chooseAnywhere`. @param real as in `choose`.
 */
export function chooseHere(
  instances: readonly FoundInstance[],
  port: string | undefined,
  cwd: string,
  real: (folder: string) => string,
): Chosen {
  const near = instances.filter(({ isNear }) => isNear);
  return choose(near, { instance: port, directory: '.' }, cwd, real);
}

/**
 * Of all that run here, where a command names neither port nor folder of one. Root's own and the machine's service come
 * before those of other users: any user may leave a file of his own. `isOthers`: only such a one is left.
 *
 * @param port SUPERVISOR_PORT, as it was written; undefined = any.
 */
export function chooseAnywhere(
  instances: readonly FoundInstance[],
  port: string | undefined,
): Chosen & { readonly isOthers: boolean } {
  const meant = instances.filter((found) => port === undefined || String(found.port) === port);
  const near = meant.filter(({ isNear }) => isNear);
  const isOthers = near.length === 0;
  return { ...choose(isOthers ? meant : near, {}, '/'), isOthers };
}

/** @param real the folder behind links, as supervisors name theirs. */
export function choose(
  instances: readonly FoundInstance[],
  { instance, directory }: Wanted,
  cwd: string,
  real: (folder: string) => string = (folder) => folder,
): Chosen {
  const folder = directory === undefined ? undefined : real(resolve(cwd, directory));
  const meant = instances.filter(
    (found) =>
      (instance === undefined || String(found.port) === instance) &&
      (folder === undefined || found.directory === folder),
  );
  const [first] = meant;
  if (first === undefined) return { kind: 'none' };
  return meant.length === 1 ? { kind: 'instance', instance: first } : { kind: 'several', instances: meant };
}
