/** The stages along the path of a change, each with its live figures. */
import { sumLag } from '@freshet/adapters/kafka/lag.ts'
import type { Alert } from '@freshet/records/alert-state.ts'
import { ANSWER_SOURCES } from '@freshet/records/answer.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { count, percent, plural } from '../public/words.js'
import { gravest } from './alert-states.ts'
import type { GaugeHistory } from './gauge-history.ts'
import type { FreshnessState, Level, StageName, StageState } from './page-state.ts'
import { STAGE_NAMES } from './page-state.ts'
import type { Entry, Seen } from './seen.ts'
import { alertsOfStage, SERVICES } from './stage-alerts.ts'

interface StageInput {
  readonly facts: Facts | null
  readonly seen: Seen
  readonly alerts: readonly Alert[]
  readonly gauges: GaugeHistory
  readonly nowMs: number
}

/** What each stage does, as counters. */
const DONE: Readonly<Record<StageName, readonly Entry[]>> = {
  capture: ['freshet.poller.changes'],
  infer: ['freshet.scorer.scored', 'freshet.scorer.deleted', 'freshet.scorer.dead'],
  cache: ['freshet.cache.rows'],
  snapshot: ['freshet.snapshot.rows'],
  gateway: ANSWER_SOURCES.map((source) => `freshet.answers.${source}` as const),
}

/** Takes down what is seen now, for the history of later looks. */
export function stageStates(input: StageInput): { stages: StageState[]; freshness: FreshnessState } {
  const { gauges, nowMs, seen } = input
  const waits = Object.fromEntries(STAGE_NAMES.map((name) => [name, waitOf(name, input)])) as Record<
    StageName,
    Wait
  >
  const onTheWay = sumOf([waits.capture, waits.infer, waits.cache])
  const p50Seconds = seen.highest('freshet.cache.freshness.p50')
  const p99Seconds = seen.highest('freshet.cache.freshness.p99')
  const late = p99Seconds === null ? onTheWay : Math.max(p99Seconds, onTheWay ?? 0)
  gauges.look(nowMs, {
    ...Object.fromEntries(STAGE_NAMES.map((name) => [name, waits[name].seconds])),
    gateway: late,
  })
  const history = (name: StageName) => gauges.history(name, nowMs)
  const stages = STAGE_NAMES.map((name): StageState => {
    const { seconds, waiting } = waits[name]
    const instances = instancesOf(name, input)
    return {
      name,
      level: levelOf(name, input, instances),
      instances,
      perSecond: (instances ?? 0) === 0 ? null : seen.perSecond(...DONE[name]),
      behindSeconds: { now: name === 'gateway' ? late : seconds, history: history(name) },
      waiting,
      notes: notesOf(name, seen),
    }
  })
  return {
    stages,
    freshness: { p50Seconds, p99Seconds, waitingSeconds: onTheWay, history: history('gateway') },
  }
}

interface Wait {
  /** How old the oldest thing is that waits; null: not known. */
  readonly seconds: number | null
  /** How many there are; null: not known. */
  readonly waiting: number | null
}

const NOT_KNOWN: Wait = { seconds: null, waiting: null }

function waitOf(name: StageName, { facts }: StageInput): Wait {
  if (facts === null || name === 'gateway') return NOT_KNOWN
  if (name === 'capture') {
    const { value, fault } = facts.capture
    if (value === null || fault !== null || facts.captureMode === 'timestamp') return NOT_KNOWN
    return {
      seconds: Math.max(0, ...value.shards.map(({ behindSeconds }) => behindSeconds)),
      waiting: value.shards.reduce((sum, { behind }) => sum + behind, 0),
    }
  }
  const group = facts.groups.find(({ worker }) => worker === name)
  if (group === undefined || facts.kafka.fault !== null) return NOT_KNOWN
  const { lagRecords, lagSeconds } = sumLag(group.partitions)
  return { seconds: lagSeconds, waiting: lagRecords }
}

/** null when any is not known. */
function sumOf(waits: readonly Wait[]): number | null {
  return waits.reduce<number | null>(
    (sum, { seconds }) => (sum === null || seconds === null ? null : sum + seconds),
    0,
  )
}

/**
 * The consumers of its group, where the broker tells; a scorer need not do all three.
 * @returns null before anybody has looked, or has heard who lives
 */
function instancesOf(name: StageName, { facts, seen }: StageInput): number | null {
  const members = facts?.groups.find(({ worker }) => worker === name)?.members ?? null
  if (members !== null) return members
  return facts === null || facts.unheard ? null : seen.living(SERVICES[name]).length
}

function levelOf(name: StageName, { alerts, facts, seen }: StageInput, instances: number | null): Level {
  const level = gravest(alertsOfStage(name, alerts, { groups: facts?.groups ?? [], seen }))
  return level === 'well' && (instances ?? 0) === 0 ? 'unknown' : level
}

function notesOf(name: StageName, seen: Seen): string[] {
  const given = (amount: number | null, words: (amount: number) => string) =>
    amount === null || amount === 0 ? [] : [words(amount)]
  switch (name) {
    case 'capture':
      return [
        ...given(seen.highest('freshet.poller.unreadable'), (n) => `${plural(n, 'shard')} cannot be read`),
        ...given(seen.highest('freshet.poller.closed'), (n) => `${plural(n, 'index', 'indices')} closed`),
        ...given(seen.highest('freshet.poller.gone'), (n) => `${plural(n, 'index', 'indices')} gone`),
        ...given(seen.highest('freshet.poller.refused'), (n) => `${plural(n, 'index', 'indices')} refused`),
        ...given(seen.lastFiveMinutes('freshet.poller.dead'), (n) => `${plural(n, 'dead letter')} in 5 min`),
      ]
    case 'infer':
      return [
        ...given(seen.highest('freshet.rescore.left'), (n) => `${count(n)} to be scored again`),
        ...given(seen.lastFiveMinutes('freshet.scorer.dead'), (n) => `${plural(n, 'dead letter')} in 5 min`),
      ]
    case 'cache':
      return given(
        seen.highest('freshet.cache.refill_left'),
        (n) => `refilling Redis: ${count(n)} rows to come`,
      )
    case 'snapshot':
      return []
    case 'gateway': {
      const answered = seen.lastFiveMinutes(...DONE.gateway)
      return given(seen.degradedAnswers(), (n) => `${percent(n / Math.max(n, answered))} degraded in 5 min`)
    }
  }
}
