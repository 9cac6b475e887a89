import { reasonOf } from '../shared/errors.js';

/** For the log and the primary: why a worker could not start. */
export function bootProblem(error: unknown): { readonly code: string; readonly message: string } {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'E_UNEXPECTED';
  return { code, message: reasonOf(error) };
}
