import type { TestServers } from '../start-servers.ts'

/** One figure of Freshet. Its bare baseline, the same work without what Freshet adds, stands in the same file. */
export interface Figure {
  readonly name: string
  readonly unit: string
  /** What is measured, in one line. */
  readonly title: string
  readonly target: string
  /** Prepares what all rounds share. */
  open(servers: TestServers): Promise<Bench>
}

export interface Bench extends AsyncDisposable {
  ours(): Promise<Sample>
  /** null where there is nothing bare to compare with. */
  readonly baseline: (() => Promise<Sample>) | null
}

/** One round. */
export interface Sample {
  /** In the figure's unit. */
  readonly value: number
  /** CPU time of the process that does the work, for each document, row or request. */
  readonly cpuMicrosPerRow: number
  /** More to know of the round, by name. */
  readonly also?: Readonly<Record<string, number>>
}
