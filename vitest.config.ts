import { defineConfig } from 'vitest/config';

/** A failure shows what broke, so nothing is repeated; process tests run the built program and get their time. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    allowOnly: false,
  },
});
