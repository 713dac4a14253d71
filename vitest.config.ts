import { defineConfig } from 'vitest/config'

/** How long a test waits for a fact: the default of a second is too short on a machine that is busy. */
const POLL = { poll: { timeout: 20_000 } }

/**
 * `*.test.ts` needs nothing; `*.it.test.ts` talks to real servers; `*.e2e.test.ts` runs real processes on them;
 * `*.cluster.test.ts` starts a cluster of its own and kills its nodes; `*.alerts.test.ts` breaks a running pipeline and
 * listens to what people are told; `*.timed.test.ts` counts what comes late, alone on the machine.
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
          exclude: ['**/node_modules/**', '**/*.{it,e2e,cluster,alerts,timed}.test.ts'],
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
      ...['cluster', 'alerts', 'timed'].map((name) => ({
        test: {
          name,
          expect: POLL,
          include: [`**/*.${name}.test.ts`],
          exclude: ['**/node_modules/**'],
          globalSetup: ['test/servers.ts'],
          fileParallelism: false,
        },
      })),
    ],
  },
})
