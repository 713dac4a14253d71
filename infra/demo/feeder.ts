import type { estypes } from '@elastic/elasticsearch'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Callers } from './callers.ts'
import { type Flight, type FlightDocument, flightUpdates, readFlights, versionsOf } from './flights.ts'
import type { FreshnessProbe } from './freshness.ts'
import type { Tally } from './tally.ts'

/** Flights that have begun and not ended, at any moment. */
const UNDER_WAY = 1_000
const SEED = 2013
const BULKS_PER_SECOND = 10
/** The first few go ahead alone: consumer groups form and caches fill before anything is measured. */
const FIRST_WRITES = 20

export interface FeedOptions {
  readonly client: { bulk(request: estypes.BulkRequest): Promise<estypes.BulkResponse> }
  readonly index: string
  readonly tally: Tally
  readonly probe: Pick<FreshnessProbe, 'hasRoom' | 'watch' | 'watchDeleted' | 'answered'>
  readonly callers: Pick<Callers, 'know'>
  /** Writes per second. */
  readonly rate: number
  /** Distinct documents; undefined goes on until `signal` aborts. */
  readonly docs: number | undefined
  readonly signal: AbortSignal
}

/** Cancelled flights stay for so many writes before they leave the index. */
const WITHDRAWN_AFTER = 1_000

/**
 * Streams flights into Elasticsearch, each updated on its way, at an even rate once the first have come through.
 * Cancelled flights are deleted some time later.
 */
export async function feedFlights({
  client,
  index,
  tally,
  probe,
  callers,
  rate,
  docs,
  signal,
}: FeedOptions): Promise<void> {
  const updates = flightUpdates(endlessFlights(await readFlights(), docs), {
    seed: SEED,
    underWay: UNDER_WAY,
  })
  const cancelled: { readonly id: string; readonly dueAtWrite: number }[] = []
  const first = take(updates, FIRST_WRITES)
  await write(first)
  await probe.answered(`${index}/${first[0]!.id}`, signal)
  for (let dueMs = performance.now(); !signal.aborted; dueMs += 1000 / BULKS_PER_SECOND) {
    const bulk = take(updates, Math.max(1, Math.round(rate / BULKS_PER_SECOND)))
    if (bulk.length > 0) await write(bulk)
    await withdraw(bulk.length > 0 ? tally.writes : Number.POSITIVE_INFINITY)
    if (bulk.length === 0) return
    const pauseMs = dueMs + 1000 / BULKS_PER_SECOND - performance.now()
    await systemClock.sleep(Math.max(0, pauseMs), signal)
  }

  async function write(bulk: readonly Flight[]): Promise<void> {
    await send(bulk.flatMap(({ id, document }) => [{ index: { _id: id } }, document]))
    tally.writes += bulk.length
    for (const { id, document } of bulk) {
      if (document.status === 'scheduled') {
        tally.documents++
        callers.know(`${index}/${id}`)
      }
      if (document.status === 'departed' && probe.hasRoom)
        probe.watch(`${index}/${id}`, beforeDeparture(document), document)
      if (document.status === 'cancelled') cancelled.push({ id, dueAtWrite: tally.writes + WITHDRAWN_AFTER })
    }
  }

  async function withdraw(writes: number): Promise<void> {
    const notYet = cancelled.findIndex(({ dueAtWrite }) => dueAtWrite > writes)
    const due = cancelled.splice(0, notYet === -1 ? cancelled.length : notYet)
    if (due.length === 0) return
    await send(due.map(({ id }) => ({ delete: { _id: id } })))
    tally.deletes += due.length
    probe.watchDeleted(`${index}/${due[0]!.id}`)
  }

  async function send(operations: readonly object[]): Promise<void> {
    const { errors, items } = await client.bulk({ index, operations: [...operations] })
    const refused = items.find((item) => (item.index ?? item.delete)?.error)
    if (errors) throw new Error(`Elasticsearch refused a flight: ${JSON.stringify(refused)}`)
  }
}

/** What was there until the flight left: the score changes with the delay that is known from now on. */
function beforeDeparture(document: FlightDocument): FlightDocument | undefined {
  return versionsOf({ id: '', document })[0]
}

/** The sample over and over, under new ids each time, up to `count`. */
function* endlessFlights(flights: readonly Flight[], count = Number.POSITIVE_INFINITY): Generator<Flight> {
  for (let given = 0; given < count; given++) {
    const flight = flights[given % flights.length]!
    const round = Math.floor(given / flights.length)
    yield round === 0 ? flight : { ...flight, id: `${flight.id}-${round + 1}` }
  }
}

function take<T>(from: Iterator<T>, count: number): T[] {
  const items: T[] = []
  while (items.length < count) {
    const next = from.next()
    if (next.done) break
    items.push(next.value)
  }
  return items
}
