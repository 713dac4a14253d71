/** All figures, in the order in which they are measured: along a document's path, beside the peers, and last what takes longest. */
import { cacheWrites } from './cache-writes.ts'
import { capture } from './capture.ts'
import { captureIdle } from './capture-idle.ts'
import { captureMemory } from './capture-memory.ts'
import type { Figure } from './figure.ts'
import { gatewayLookups } from './gateway/lookups.ts'
import { gatewayMemory } from './gateway/memory.ts'
import { gatewayPredict } from './gateway/predict.ts'
import { gatewayRank } from './gateway/rank.ts'
import { gatewaySnapshot } from './gateway/snapshot.ts'
import { infer, inferClassifier } from './infer.ts'
import { inferLatency, inferLatencyWithSnapshot } from './infer-latency.ts'
import { memory } from './memory.ts'
import { inferAgainstStreams } from './peers/infer-against-streams.ts'
import { lookupsAgainstFeast } from './peers/lookups-against-feast.ts'
import { predictAgainstFastApi } from './peers/predict-against-fastapi.ts'
import { rescoreLatency } from './rescore-latency.ts'
import { scorerMemory } from './scorer-memory.ts'
import { snapshotDelta } from './snapshot-delta.ts'
import { snapshotFollow } from './snapshot-follow.ts'
import { snapshotMerge } from './snapshot-merge.ts'
import { telemetryCostOfGateway, telemetryCostOfInfer } from './telemetry-cost.ts'

export type Stage = 'capture' | 'scoring' | 'snapshots' | 'gateway' | 'watching' | 'memory' | 'peers'

/** A figure in its place. */
export interface Entry {
  readonly stage: Stage
  readonly figure: Figure
  /** On two cores, until a run has written down how long it took. */
  readonly aboutSeconds: number
}

export const ENTRIES: readonly Entry[] = [
  { stage: 'capture', figure: capture, aboutSeconds: 40 },
  { stage: 'capture', figure: captureIdle, aboutSeconds: 220 },
  { stage: 'scoring', figure: infer, aboutSeconds: 45 },
  { stage: 'scoring', figure: inferClassifier, aboutSeconds: 60 },
  { stage: 'scoring', figure: inferLatency, aboutSeconds: 150 },
  { stage: 'scoring', figure: inferLatencyWithSnapshot, aboutSeconds: 260 },
  { stage: 'scoring', figure: rescoreLatency, aboutSeconds: 600 },
  { stage: 'scoring', figure: cacheWrites, aboutSeconds: 40 },
  { stage: 'snapshots', figure: snapshotDelta, aboutSeconds: 60 },
  { stage: 'snapshots', figure: snapshotFollow, aboutSeconds: 70 },
  { stage: 'gateway', figure: gatewayLookups, aboutSeconds: 70 },
  { stage: 'gateway', figure: gatewaySnapshot, aboutSeconds: 70 },
  { stage: 'gateway', figure: gatewayPredict, aboutSeconds: 70 },
  { stage: 'gateway', figure: gatewayRank, aboutSeconds: 140 },
  { stage: 'watching', figure: telemetryCostOfInfer, aboutSeconds: 100 },
  { stage: 'watching', figure: telemetryCostOfGateway, aboutSeconds: 160 },
  { stage: 'peers', figure: inferAgainstStreams, aboutSeconds: 120 },
  { stage: 'peers', figure: lookupsAgainstFeast, aboutSeconds: 130 },
  { stage: 'peers', figure: predictAgainstFastApi, aboutSeconds: 80 },
  { stage: 'memory', figure: memory, aboutSeconds: 90 },
  { stage: 'memory', figure: snapshotMerge, aboutSeconds: 110 },
  { stage: 'memory', figure: gatewayMemory, aboutSeconds: 60 },
  { stage: 'memory', figure: captureMemory, aboutSeconds: 560 },
  { stage: 'memory', figure: scorerMemory, aboutSeconds: 840 },
]

/** Of a figure that does not say otherwise. */
export const ROUNDS = 5
