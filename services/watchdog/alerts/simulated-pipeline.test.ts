import { seeded } from '@freshet/stage/seeded.ts'
import { describe, expect, test } from 'vitest'
import { FactWindow } from '../rules/fact-window.ts'
import { BOOK } from '../rules/facts.kit.ts'
import { judge } from '../rules/judge.ts'
import { replayHistory } from './replay-history.ts'
import { type FaultName, type PlannedFault, SimulatedPipeline } from './simulated-pipeline.kit.ts'
import { LOOK_MS, timing } from './story.kit.ts'

const FAULT_FROM_MS = 10 * 60_000
const FAULT_UNTIL_MS = 16 * 60_000

/** What people would have been told, each at so many seconds after the beginning. */
function told(
  seed: number,
  forMs: number,
  fault: PlannedFault | null = null,
): { change: string; ids: string[]; atMs: number }[] {
  const pipeline = new SimulatedPipeline(seeded(seed), fault)
  const startMs = pipeline.nowMs
  const window = new FactWindow()
  const history = Array.from({ length: forMs / LOOK_MS }, () => pipeline.look())
  const messages = replayHistory(history, {
    judge: (facts) => judge(facts, window.push(facts), BOOK),
    timing,
    repeatMs: 4 * 3_600_000,
  })
  return [...messages].map(({ change, alerts, atMs }) => ({
    change,
    ids: alerts.map(({ finding }) => finding.id),
    atMs: atMs - startMs,
  }))
}

describe('an hour of healthy load, with pauses, late heartbeats, stutters and deployments', () => {
  test.each([1, 2, 3, 4])('tells people nothing (seed %i)', (seed) => {
    expect(told(seed, 3_600_000)).toEqual([])
  })
})

/** With the seconds after which its rule finds it at the latest, by its thresholds. */
const FAULTS: readonly (readonly [FaultName, alert: string, thresholdSeconds: number])[] = [
  ['scorer dies', 'silent/scorer-1', 30],
  ['poller freezes', 'silent/poller-1', 30],
  ['infer is held back', 'stall/air-infer', 30],
  ['infer is too slow', 'lag/air-infer', 60 / 0.7],
  ['Kafka is away', 'unreachable/kafka', 0],
  ['Redis is away', 'unreachable/redis', 0],
  ['Elasticsearch is away', 'unreachable/elasticsearch', 0],
  ['a document is broken', 'dead-letters', 0],
  ['the model is broken', 'model-refused', 0],
  ['the snapshot is not written', 'stall/air-snapshot', 60 + 30],
]

describe('a fault', () => {
  test.each(FAULTS)('%s: %s is told once, in time, and resolved', (name, alert, thresholdSeconds) => {
    for (const seed of [1, 2, 3]) {
      const messages = told(seed, 45 * 60_000, { name, fromMs: FAULT_FROM_MS, untilMs: FAULT_UNTIL_MS })
      expect(messages.map(({ change }) => change)).toEqual(['firing', 'resolved'])
      expect(messages.map(({ ids }) => ids)).toEqual([[alert], [alert]])
      const [firing, resolved] = messages
      const afterMs = firing!.atMs - FAULT_FROM_MS
      expect(afterMs).toBeGreaterThanOrEqual(0)
      expect(afterMs).toBeLessThanOrEqual((thresholdSeconds + 30) * 1_000)
      expect(resolved!.atMs).toBeGreaterThanOrEqual(FAULT_UNTIL_MS)
    }
  })
})
