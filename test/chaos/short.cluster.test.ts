/**
 * The chaos suite in short: one seed, half a minute of faults, and all that must hold at the end but for what is a matter of
 * time. `SEED=… npx vitest run --project cluster test/chaos` tries another; `npm run chaos` is the long form.
 */
import { expect, test } from 'vitest'
import { runRound } from './run-round.ts'
import { ChaosServers } from './servers.ts'
import { problemsOf } from './verdict.ts'

const SEED = Number(process.env['SEED'] ?? 8)
const MINUTES = 0.5

test(`everything is struck, and nothing is lost, wrong or left open [SEED=${SEED}]`, {
  timeout: 15 * 60_000,
}, async ({ annotate, signal }) => {
  const log: string[] = []
  const startMs = performance.now()
  const tell = (line: string) =>
    void log.push(`${((performance.now() - startMs) / 1_000).toFixed(1)} s: ${line}`)
  try {
    await using servers = await ChaosServers.start(SEED)
    const plan = { seed: SEED, minutes: MINUTES, rate: 50, requestsPerSecond: 50 }
    const verdict = await runRound(servers, { ...plan, tell, signal })
    await annotate(`${verdict.faults} faults, ${verdict.writes} writes, ${verdict.callers.requests} requests`)
    expect(verdict.faults).toBeGreaterThan(0)
    expect(verdict.callers.requests).toBeGreaterThan(0)
    expect(problemsOf(verdict).filter(({ isTiming }) => !isTiming)).toEqual([])
  } catch (cause) {
    throw new Error(`after these faults:\n${log.join('\n')}`, { cause })
  }
})
