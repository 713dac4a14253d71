import { defineConfig } from 'vitest/config'

/**
 * `*.test.ts` needs nothing; `*.it.test.ts` talks to real servers; `*.e2e.test.ts` runs real processes on them;
 * `*.cluster.test.ts` starts a cluster of its own and kills its nodes, alone on the machine.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          testTimeout: 60_000, // thousands of seeds, on a machine that may be busy
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.{it,e2e,cluster}.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/*.{it,e2e}.test.ts'],
          exclude: ['**/node_modules/**'],
          globalSetup: ['test/servers.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 3, // they wait more than they work
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['**/*.cluster.test.ts'],
          exclude: ['**/node_modules/**'],
          globalSetup: ['test/servers.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
})
