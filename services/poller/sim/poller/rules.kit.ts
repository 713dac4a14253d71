import type { Cursor } from '@freshet/records/cursor.ts'
import { step } from '../../capture/capture.ts'
import type { Effect, Observed } from '../../capture/capture-state.ts'
import { step as sweep } from '../../sweep/sweep.ts'
import type { LogRecord } from '../kafka/log-model.kit.ts'

type ReadPage = Extract<Effect, { kind: 'readPage' }>

/** The rules that a poller works by, one by one, so that a test can break each and see what it is good for. */
export interface Rules {
  readonly step: typeof step
  readonly sweep: typeof sweep
  /**
   * What it takes from a look at a shard.
   * @param highestVisible the highest sequence number that a search of the shard shows
   */
  readonly see: (seen: Observed, highestVisible: () => number) => Observed
  /** How it asks for a page. */
  readonly ask: (page: ReadPage) => ReadPage
  /** The epoch that it takes when the table gives it this one. */
  readonly epoch: (epoch: number) => number
  /** Which records of a partition count when it is taken over. */
  readonly takeOver: (records: readonly LogRecord<Cursor>[]) => readonly LogRecord<Cursor>[]
  /** Whether it reads on in the partitions that it holds. */
  readonly heedsOthers: boolean
  /** Statistics are read before the state that tells the primary term. */
  readonly readsStatisticsFirst: boolean
  /** Only a look that began after a scan had ended tells what may have been hidden from that scan. */
  readonly looksAnewAfterAScan: boolean
  readonly refreshes: boolean
  /** A search that found no shard to ask is a failure, not an empty page. */
  readonly tellsNowhereFromNothing: boolean
  /** Produced is what Kafka has acknowledged, not what was sent. */
  readonly waitsForAcknowledgement: boolean
}

export const PROTOCOL: Rules = {
  step,
  sweep,
  see: (seen) => seen,
  ask: (page) => page,
  epoch: (epoch) => epoch,
  takeOver: (records) => records,
  heedsOthers: true,
  readsStatisticsFirst: true,
  looksAnewAfterAScan: true,
  refreshes: true,
  tellsNowhereFromNothing: true,
  waitsForAcknowledgement: true,
}
