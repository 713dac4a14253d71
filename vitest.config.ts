import { defineConfig } from 'vitest/config'

/** How long a test waits for a fact: the default of a second is too short on a machine that is busy. */
const POLL = { poll: { timeout: 20_000 } }

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
          expect: POLL,
          testTimeout: 60_000, // thousands of seeds, on a machine that may be busy
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.{it,e2e,cluster}.test.ts'],
          maxWorkers: '100%', // they work, so a core of two that is left free is time lost
        },
      },
      {
        test: {
          name: 'integration',
          expect: POLL,
          include: ['**/*.{it,e2e}.test.ts'],
          exclude: ['**/node_modules/**'],
          globalSetup: ['test/servers.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 4, // they wait more than they work
        },
      },
      {
        test: {
          name: 'cluster',
          expect: POLL,
          include: ['**/*.cluster.test.ts'],
          exclude: ['**/node_modules/**'],
          globalSetup: ['test/servers.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
})
