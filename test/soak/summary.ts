/** What a soak's rows say, in figures: pure. A change is a document that was written or deleted. */
import { dollarsOfRequests, PRICES } from './prices.ts'
import type { Phase, SoakRow } from './row.ts'
import { S3_KINDS, type S3Kind } from './s3-kinds.ts'

interface Percentiles {
  readonly samples: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly most: number
}

interface ProcessFigures {
  readonly cpuSecondsPerMillion: number
  readonly rssMiBAtEnd: number
  readonly ownMiBAtEnd: number
  readonly mostRssMiB: number
  /** Slope of `own` over the last half of the load; per million documents that were new. */
  readonly ownMiBPerMillion: number
}

export interface Figures {
  readonly documents: number
  readonly updates: number
  readonly deletes: number
  readonly loadSeconds: number
  readonly changesPerSecond: number
  /** Lag from end to end, as the oldest sample has it: means of both halves of the load. */
  readonly waitingSecondsByHalf: readonly [number, number]
  readonly lagAtEndOfLoad: SoakRow['lag']
  readonly freshnessMs: Readonly<Partial<Record<Phase, Percentiles>>>
  readonly neverFresh: number
  readonly processes: Readonly<Record<string, ProcessFigures>>
  readonly redis: { readonly bytes: number; readonly keys: number; readonly bytesPerKey: number }
  readonly s3: {
    readonly requestsPerMillion: Readonly<Partial<Record<S3Kind, number>>>
    readonly requestsPerMillionByService: Readonly<Record<string, number>>
    readonly dollarsOfRequestsPerMillion: number
    readonly sentBytesPerMillion: number
    readonly receivedBytesPerMillion: number
    readonly priced: string
  }
}

const MILLION = 1_000_000

/** @param rows in order of time, with a first one before anything was written. @throws without a row of the load */
export function figuresOf(rows: readonly SoakRow[]): Figures {
  const loaded = rows.filter(({ phase }) => phase === 'load')
  const first = loaded[0]
  const last = loaded.at(-1)
  if (first === undefined || last === undefined) throw new Error('the load has no rows')
  const done = rows.filter(({ phase }) => phase === 'load' || phase === 'drain').at(-1)!
  const changes = changesOf(last) - changesOf(first)
  const loadSeconds = last.atSeconds - first.atSeconds
  const millions = changes / MILLION
  const middle = first.atSeconds + loadSeconds / 2
  const halves = [
    loaded.filter(({ atSeconds }) => atSeconds <= middle),
    loaded.filter(({ atSeconds }) => atSeconds > middle),
  ] as const
  const phases = Map.groupBy(rows, ({ phase }) => phase)
  return {
    documents: last.written.creates,
    updates: rows.at(-1)!.written.updates,
    deletes: last.written.deletes,
    loadSeconds: round(loadSeconds),
    changesPerSecond: round(changes / loadSeconds),
    waitingSecondsByHalf: [meanWaiting(halves[0]), meanWaiting(halves[1])],
    lagAtEndOfLoad: last.lag,
    freshnessMs: Object.fromEntries(
      [...phases].flatMap(([phase, some]) => {
        const values = some.flatMap(({ freshnessMs }) => freshnessMs)
        return values.length === 0 ? [] : [[phase, percentilesOf(values)]]
      }),
    ),
    neverFresh: rows.at(-1)!.neverFresh,
    processes: Object.fromEntries(
      Object.keys(done.processes).map((name) => [
        name,
        {
          cpuSecondsPerMillion: round((cpuOf(done, name) - cpuOf(first, name)) / millions),
          rssMiBAtEnd: round(done.processes[name]!.rssMiB),
          ownMiBAtEnd: round(done.processes[name]!.ownMiB),
          mostRssMiB: round(Math.max(...rows.map((row) => row.processes[name]?.rssMiB ?? 0))),
          ownMiBPerMillion: round(
            slopeOf(
              halves[1].map((row) => ({
                x: row.written.creates / MILLION,
                y: row.processes[name]?.ownMiB ?? 0,
              })),
            ),
          ),
        },
      ]),
    ),
    redis: { ...done.redis, bytesPerKey: round(done.redis.bytes / Math.max(1, done.redis.keys)) },
    s3: trafficOf(first, done, millions),
  }
}

function trafficOf(first: SoakRow, done: SoakRow, millions: number): Figures['s3'] {
  const services = Object.keys(done.s3)
  const requestsOf = (kind: S3Kind, service: string) =>
    (done.s3[service]!.requests[kind] ?? 0) - (first.s3[service]?.requests[kind] ?? 0)
  const bytesOf = (which: 'sentBytes' | 'receivedBytes') =>
    sum(services.map((service) => done.s3[service]![which] - (first.s3[service]?.[which] ?? 0)))
  const requests = Object.fromEntries(
    S3_KINDS.map((kind) => [kind, sum(services.map((service) => requestsOf(kind, service)))]).filter(
      ([, count]) => count !== 0,
    ),
  ) as Partial<Record<S3Kind, number>>
  return {
    requestsPerMillion: Object.fromEntries(
      Object.entries(requests).map(([kind, count]) => [kind, round(count / millions)]),
    ),
    requestsPerMillionByService: Object.fromEntries(
      services.map((service) => [
        service,
        round(sum(S3_KINDS.map((kind) => requestsOf(kind, service))) / millions),
      ]),
    ),
    dollarsOfRequestsPerMillion: round(dollarsOfRequests(requests) / millions),
    sentBytesPerMillion: round(bytesOf('sentBytes') / millions),
    receivedBytesPerMillion: round(bytesOf('receivedBytes') / millions),
    priced: PRICES.source,
  }
}

/** Slope of the line with the least squares; 0 for one point. */
function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanX = sum(points.map(({ x }) => x)) / points.length
  const meanY = sum(points.map(({ y }) => y)) / points.length
  const variance = sum(points.map(({ x }) => (x - meanX) ** 2))
  return variance > 0 ? sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / variance : 0
}

/** @param values at least one */
function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1]!)
  return { samples: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), most: at(1) }
}

function changesOf({ written: { creates, updates, deletes } }: SoakRow): number {
  return creates + updates + deletes
}

function cpuOf(row: SoakRow, name: string): number {
  return row.processes[name]?.cpuSeconds ?? 0
}

function meanWaiting(rows: readonly SoakRow[]): number {
  return rows.length === 0 ? 0 : round(sum(rows.map(({ waitingSeconds }) => waitingSeconds)) / rows.length)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Three digits. */
function round(value: number): number {
  return Number(value.toPrecision(3))
}
