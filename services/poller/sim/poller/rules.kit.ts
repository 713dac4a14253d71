import { type Effect, type Observed, step } from '../../capture/capture.ts'
import { step as sweep } from '../../sweep/sweep.ts'

/** The rules that a poller works by, each by itself, so that a test can break one and see a document lost. */
export interface Rules {
  readonly step: typeof step
  /** What it takes from a look at a shard. */
  readonly see: (seen: Observed) => Observed
  /** How it asks for a page. */
  readonly ask: (page: Extract<Effect, { kind: 'readPage' }>) => Extract<Effect, { kind: 'readPage' }>
  /** The epoch that it takes when the table gives it this one. */
  readonly epoch: (epoch: number) => number
  readonly sweep: typeof sweep
  /** Statistics are read before the state that tells the primary term. */
  readonly readsStatisticsFirst: boolean
  /** Only a look that began after a scan had ended tells what may have been hidden from that scan. */
  readonly looksAnewAfterAScan: boolean
  readonly refreshes: boolean
  /** A search that found no shard to ask is a failure, not an empty page. */
  readonly tellsNowhereFromNothing: boolean
  /** Produced is what Kafka has acknowledged, not what was sent. */
  readonly waitsForAcknowledgement: boolean
  readonly heedsForeignCursors: boolean
}

export const PROTOCOL: Rules = {
  step,
  see: (seen) => seen,
  ask: (page) => page,
  epoch: (epoch) => epoch,
  sweep,
  readsStatisticsFirst: true,
  looksAnewAfterAScan: true,
  refreshes: true,
  tellsNowhereFromNothing: true,
  waitsForAcknowledgement: true,
  heedsForeignCursors: true,
}
