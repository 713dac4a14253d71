import type { ServingModel } from '@freshet/model/run/loaded-model.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { type Drift, DriftWindow } from './drift-window.ts'

const WINDOW_MS = 3_600_000
const TELL_EVERY_MS = 5_000
/** From here on people call it drift. */
const DRIFTED = 0.25

/** What drift needs to know of the model in use. */
type WatchedModel = Pick<ServingModel, 'identity' | 'label' | 'writer' | 'goldenScores'>

/** Tells, as metrics, how what is scored now differs from what the promoted model was made for. */
export class DriftWatch {
  readonly #telemetry: Pick<Telemetry, 'metrics' | 'log'>
  readonly #clock: Clock
  readonly #lines: Throttle
  #watched: { readonly model: WatchedModel; readonly window: DriftWindow } | null = null

  constructor({ telemetry, clock }: { telemetry: Pick<Telemetry, 'metrics' | 'log'>; clock: Clock }) {
    this.#telemetry = telemetry
    this.#clock = clock
    this.#lines = new Throttle(WINDOW_MS, clock)
  }

  /**
   * Fresh documents were scored; a newly promoted model begins with an empty window.
   * @param columns one an output; NaN where there is no score.
   */
  scored(model: WatchedModel, columns: readonly Float64Array[]): void {
    const known = this.#watched?.model.identity.generation ?? 0
    if (model.identity.generation > known) this.#watched = { model, window: this.#windowOf(model) }
    if (model.identity.generation >= known) this.#watched!.window.add(columns)
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.tell()
      await this.#clock.sleep(TELL_EVERY_MS, signal)
    }
  }

  tell(): void {
    if (this.#watched === null) return
    const { model, window } = this.#watched
    const drift = window.drift()
    this.#set(drift)
    for (const [output, index] of drift.stability)
      if (index !== null && index > DRIFTED && this.#lines.pass(`${model.label} ${output}`) !== null)
        this.#telemetry.log.warn(
          `the scores of ${model.label} no longer fall as its golden ones do: the stability index of ${output} is ${index.toFixed(2)}`,
          { [ATTRIBUTES.model]: model.label, [ATTRIBUTES.eventName]: 'freshet.drift' },
        )
  }

  #set({ rows, columns, stability }: Drift): void {
    const { metrics } = this.#telemetry
    const each = (value: (column: Drift['columns'][number]) => number | null) =>
      known(columns.map((column) => [column.name, value(column)]))
    metrics.set('freshet.drift.rows', rows)
    metrics.setEach(
      'freshet.drift.mean',
      each(({ mean }) => mean),
    )
    metrics.setEach(
      'freshet.drift.missing',
      each(({ missingShare }) => missingShare),
    )
    metrics.setEach(
      'freshet.drift.unknown',
      each(({ unknownShare }) => unknownShare || null),
    )
    metrics.setEach('freshet.drift.psi', known(stability))
  }

  #windowOf({ writer, goldenScores }: WatchedModel): DriftWindow {
    return new DriftWindow({
      windowMs: WINDOW_MS,
      counts: () => writer.counts(),
      golden: goldenScores,
      clock: this.#clock,
    })
  }
}

function known(entries: Iterable<readonly [string, number | null]>): ReadonlyMap<string, number> {
  const known = new Map<string, number>()
  for (const [name, value] of entries) if (value !== null) known.set(name, value)
  return known
}
