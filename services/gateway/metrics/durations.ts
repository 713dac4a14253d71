import type { Family, Sample } from './prometheus-text.ts'

/** Upper bounds in milliseconds, close together where the deadline lies. */
const BOUNDS_MS = [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 50, 75, 100, 150, 250, 500, 1_000]

interface EndedRequest {
  /** HEAD counts as GET; what is neither that nor POST, as `other`: callers may send whatever they like. */
  readonly method: string
  readonly route: string
  readonly status: number
  /** Where the answer came from; `mixed` of many with several, `none` when there is none. */
  readonly source: string
  readonly tookMs: number
}

/** How long requests took and how they ended, by route: exact counts, in a few hundred numbers. */
export class Durations {
  /** By method first: one text made of both, for each request, would cost more than the count. */
  readonly #methods: Readonly<Record<Method, Map<string, RouteFigures>>> = {
    GET: new Map(),
    POST: new Map(),
    other: new Map(),
  }

  add({ method, route, status, source, tookMs }: EndedRequest): void {
    const counted = methodOf(method)
    const routes = this.#methods[counted]
    let figures = routes.get(route)
    if (figures === undefined) routes.set(route, (figures = new RouteFigures({ method: counted, route })))
    figures.add(status, source, tookMs)
  }

  families(): Family[] {
    const routes = Object.values(this.#methods).flatMap((routes) => [...routes.values()])
    return [
      {
        name: 'freshet_requests_total',
        kind: 'counter',
        help: 'Requests, by method, route and status.',
        samples: routes.flatMap((route) => route.requests()),
      },
      {
        name: 'freshet_request_duration_seconds',
        kind: 'histogram',
        help: 'From when a request was accepted until its answer was handed to the socket, by route and source.',
        samples: routes.flatMap((route) => route.durations()),
      },
    ]
  }
}

type Method = 'GET' | 'POST' | 'other'

function methodOf(method: string): Method {
  if (method === 'GET' || method === 'HEAD') return 'GET'
  return method === 'POST' ? 'POST' : 'other'
}

class RouteFigures {
  readonly #labels: Readonly<Record<string, string>>
  readonly #statuses = new Map<number, number>()
  readonly #histograms = new Map<string, Histogram>()

  constructor(labels: Readonly<Record<string, string>>) {
    this.#labels = labels
  }

  add(status: number, source: string, tookMs: number): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
    let histogram = this.#histograms.get(source)
    if (histogram === undefined) this.#histograms.set(source, (histogram = new Histogram()))
    histogram.add(tookMs)
  }

  requests(): Sample[] {
    return [...this.#statuses].map(([status, value]) => ({
      labels: { ...this.#labels, status: `${status}` },
      value,
    }))
  }

  durations(): Sample[] {
    return [...this.#histograms].flatMap(([source, histogram]) =>
      histogram.samples({ ...this.#labels, source }),
    )
  }
}

class Histogram {
  readonly #counts = new Float64Array(BOUNDS_MS.length + 1)
  #sumMs = 0

  add(ms: number): void {
    let at = 0
    while (at < BOUNDS_MS.length && ms > BOUNDS_MS[at]!) at++
    this.#counts[at]!++
    this.#sumMs += ms
  }

  samples(labels: Readonly<Record<string, string>>): Sample[] {
    let below = 0
    const buckets = Array.from(this.#counts, (count, at) => {
      below += count
      const bound = BOUNDS_MS[at]
      const le = bound === undefined ? '+Inf' : `${bound / 1_000}`
      return { suffix: '_bucket', labels: { ...labels, le }, value: below }
    })
    return [
      ...buckets,
      { suffix: '_sum', labels, value: this.#sumMs / 1_000 },
      { suffix: '_count', labels, value: below },
    ]
  }
}
