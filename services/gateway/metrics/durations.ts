import type { Family, Sample } from './prometheus-text.ts'

/** Upper bounds in milliseconds, close together where the deadline lies. */
const BOUNDS_MS = [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 50, 75, 100, 150, 250, 500, 1_000]

export interface Ended {
  /** HEAD counts as GET. */
  readonly method: string
  readonly route: string
  readonly status: number
  /** Where the answer came from; `mixed` of many with several, `none` when there is none. */
  readonly source: string
  readonly tookMs: number
}

/** How long requests took and how they ended, by route: exact counts, in a few hundred numbers. */
export class Durations {
  readonly #routes = new Map<string, RouteFigures>()

  add({ method, route, status, source, tookMs }: Ended): void {
    const isPost = method === 'POST'
    const key = isPost ? route : ` ${route}`
    let figures = this.#routes.get(key)
    if (figures === undefined)
      this.#routes.set(key, (figures = new RouteFigures({ method: isPost ? 'POST' : 'GET', route })))
    figures.add(status, source, tookMs)
  }

  families(): Family[] {
    const routes = [...this.#routes.values()]
    return [
      {
        name: 'freshet_requests_total',
        kind: 'counter',
        help: 'Requests, by route and status.',
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
