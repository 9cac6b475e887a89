import { findProgram, type FindOptions, type FoundProgram, type ProgramRequest } from './find-program.js';

/** @public scripts/tasks/test.mjs loads it from dist, which nobody can see before it is built */
export { ProgramMissingError } from './find-program.js';

const REDIS: ProgramRequest = {
  names: ['redis-server', 'valkey-server'],
  debianPackage: 'redis-server',
  debianServices: ['redis-server'],
  otherwise: {
    linux:
      'Install Redis with your package manager (for example "dnf install redis" or "apk add redis"), or set REDIS_HOST.',
    darwin: 'Install Redis with "brew install redis", or set REDIS_HOST.',
    win32: 'Install Memurai or run Redis in WSL, or set REDIS_HOST to a host that has it.',
  },
};

/** @throws ProgramMissingError */
export function findRedis(options: FindOptions = {}): Promise<FoundProgram> {
  return findProgram(REDIS, options);
}
