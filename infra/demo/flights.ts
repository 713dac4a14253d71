/**
 * The demo's documents: flights that left New York in December 2013, each changing on its way as an airline's system
 * would change it. How the sample was made: README.md.
 */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { seeded } from '@freshet/stage/seeded.ts'

export interface FlightDocument {
  readonly carrier: string
  readonly flight: number
  readonly tailnum?: string
  readonly origin: string
  readonly dest: string
  /** Miles. */
  readonly distance: number
  /** ISO 8601, UTC. */
  readonly scheduled_departure: string
  /** From scheduled departure to scheduled arrival. */
  readonly scheduled_minutes: number
  /** At the origin, in the hour of scheduled departure; what the station did not report is absent. */
  readonly weather: Readonly<Record<string, number>>
  readonly status: 'scheduled' | 'departed' | 'landed' | 'diverted' | 'cancelled'
  /** Minutes; known once departed. */
  readonly dep_delay?: number
  /** Minutes; known once landed. */
  readonly air_time?: number
  /** Minutes; known once landed. The model does not read it: it is what the model's score is to be compared with. */
  readonly actual_arr_delay?: number
}

/** One flight as it ended. */
export interface Flight {
  /** `_id` in Elasticsearch, e.g. `2013-12-15-UA-1545-EWR`. */
  readonly id: string
  readonly document: FlightDocument
}

const SAMPLE = new URL('./data/flights.ndjson.gz', import.meta.url)

/** All flights of the sample, oldest scheduled departure first. */
export async function readFlights(): Promise<Flight[]> {
  const text = (await promisify(gunzip)(await readFile(SAMPLE))).toString()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Flight)
}

/** What the document says of a flight as time goes by: scheduled; departed, unless it is cancelled; how it ended. */
export function versionsOf({ document }: Flight): readonly FlightDocument[] {
  const { dep_delay, air_time, actual_arr_delay, ...known } = document
  const scheduled: FlightDocument = { ...known, status: 'scheduled' }
  if (dep_delay === undefined) return [scheduled, document]
  return [scheduled, { ...known, status: 'departed', dep_delay }, document]
}

/**
 * Every version of every flight once, in a mix such as an airport's: at any moment up to `underWay` flights
 * have begun and not ended, and chance says which of them changes next. The versions of one flight keep their order.
 * @param options the same `seed` gives the same order.
 */
export function* flightUpdates(
  flights: Iterable<Flight>,
  options: { readonly seed: number; readonly underWay: number },
): Generator<Flight> {
  const random = seeded(options.seed)
  const underWay: { readonly id: string; readonly versions: FlightDocument[] }[] = []
  const schedule = flights[Symbol.iterator]()
  while (true) {
    while (underWay.length < options.underWay) {
      const next = schedule.next()
      if (next.done) break
      underWay.push({ id: next.value.id, versions: [...versionsOf(next.value)] })
    }
    if (underWay.length === 0) return
    const at = Math.floor(random() * underWay.length)
    const { id, versions } = underWay[at]!
    yield { id, document: versions.shift()! }
    if (versions.length === 0) underWay.splice(at, 1)
  }
}
