import { defineConfig } from 'vitest/config';

/**
 * A failure shows what broke, so nothing is repeated. The time-outs end a test that hangs, on a machine that is busy with
 * other things as well; what a test promises about time has deadlines of its own, in *.timed.test.ts.
 */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    allowOnly: false,
  },
});
