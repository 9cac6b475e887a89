import type { ProgramRequest } from '../../../scripts/local/find-program.js';

/** Programs beside Redis that rows need. A row names them in `needs`; the runner gets them before it plays anything. */
export const REDIS_CLI = debian(['redis-cli', 'valkey-cli'], 'redis-tools');
export const FAKETIME = debian(['faketime'], 'faketime');
export const COMPILER = debian(['gcc', 'cc'], 'build-essential');

function debian(names: readonly string[], debianPackage: string): ProgramRequest {
  const otherwise = `Install ${names[0]} (Debian package ${debianPackage}).`;
  return { names, debianPackage, otherwise: { linux: otherwise, darwin: otherwise, win32: otherwise } };
}
