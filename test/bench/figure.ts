import type { TestServers } from '../start-servers.ts'
import type { Target } from './target.ts'

/** One figure of Freshet. Its bare baselines, the same work without what Freshet adds, stand beside it. */
export interface Figure {
  readonly name: string
  readonly unit: string
  /** What is measured, in one line. */
  readonly title: string
  /** None for a figure that only shows what another is made of. */
  readonly targets: readonly Target[]
  /** Unless told: 5. For a figure whose one round is long enough to be its own average, fewer. */
  readonly rounds?: number
  /** Prepares what all rounds share. */
  open(servers: TestServers): Promise<Bench>
}

export interface Bench extends AsyncDisposable {
  ours(): Promise<Sample>
  /**
   * Bare work by its name. Several are the parts of one work, measured alone: together they are as fast as the slowest
   * of them and cost what all of them cost. None where there is nothing bare to compare with.
   */
  readonly baselines: Readonly<Record<string, () => Promise<Sample>>>
}

/** One round. */
export interface Sample {
  /** In the figure's unit. */
  readonly value: number
  /** CPU time of the process that does the work, for each document, row, request or look. */
  readonly cpuMicrosPerRow: number
  /** More to know of the round, by name. */
  readonly also?: Readonly<Record<string, number>>
  /** Of these the highest of all rounds is told: what stays below a bound in most rounds only, does not stay below it. */
  readonly most?: Readonly<Record<string, number>>
}
