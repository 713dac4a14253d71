/** How the pipeline grows: a month at each scale, from what one machine measured. Pure. */
import { settingsSchema } from '@freshet/config/schema.ts'
import { type Manifest, type ManifestPartition, manifestRecord } from '@freshet/records/manifest.ts'
import { rowBytes } from '@freshet/snapshot/table/row-bytes.ts'
import { dollarsOfRequests, PRICES } from '../prices.ts'
import { type Commits, simulateCommits } from './commits.ts'
import { ASSUMED, type Scale } from './scales.ts'
import { type Month, simulateMonth } from './snapshot-month.ts'

/** By one machine, for each document. */
export interface Measured {
  readonly snapshotBytesPerRow: number
  readonly redisBytesPerKey: number
  readonly kafkaBytesPerChange: number
  /** CPU of poller and scorer together, of one change. */
  readonly cpuMicrosPerChange: number
}

export interface Growth {
  readonly scale: Scale
  /** Between two deltas: earlier than asked where the buffer of a writer is full. */
  readonly intervalSeconds: number
  readonly month: Month
  readonly commits: Commits
  readonly commitsASecond: number
  readonly files: number
  /** Of the manifest when it was the fullest. */
  readonly manifestBytes: number
  /** Bytes of manifests that writers and gateways read and write, each second. */
  readonly manifestBytesASecond: number
  readonly requestsAMonth: { readonly puts: number; readonly gets: number }
  readonly dollarsAMonth: { readonly requests: number; readonly storage: number }
  readonly snapshotBytes: number
  readonly gatewayBytes: { readonly memory: number; readonly ranges: number }
  readonly redisBytes: number
  readonly kafkaBytes: number
  readonly firstLoadCpuSeconds: number
}

const DAY_SECONDS = 86_400
const BYTES_A_BUFFERED_ROW_INDEX = 150
const INDEXED_ROWS = 4_096
const COMMIT_HOURS = 1
const SEED = 8

export function growthOf(scale: Scale, measured: Measured): Growth {
  const { documents, partitions, writers } = scale
  const changesASecond = (documents * ASSUMED.changedShareADay) / DAY_SECONDS
  const fullAfterSeconds = scale.maxBufferedRows / (changesASecond / writers)
  const intervalSeconds = Math.min(scale.intervalSeconds, Math.floor(fullAfterSeconds))
  const { snapshot } = settingsSchema.parse({})
  const month = simulateMonth({
    days: ASSUMED.days,
    partitions: partitions / writers,
    rows: documents / partitions,
    deltaRows: (changesASecond * intervalSeconds) / partitions,
    intervalSeconds,
    bytesPerRow: measured.snapshotBytesPerRow,
    mergedRowsPerSecond: ASSUMED.mergedRowsPerSecond,
    settings: snapshot,
  })
  const manifestBytes = manifestBytesOf(month.fullest, writers)
  // A writer commits its deltas together, and each merge alone.
  const commitsAMonth = writers * ((ASSUMED.days * DAY_SECONDS) / intervalSeconds + month.merges)
  const commitsASecond = commitsAMonth / (ASSUMED.days * DAY_SECONDS)
  const transferMs = (manifestBytes / ASSUMED.s3BytesPerSecond) * 1_000
  const jsonMs = (manifestBytes / ASSUMED.jsonBytesPerSecond) * 1_000
  const commits = simulateCommits({
    hours: COMMIT_HOURS,
    writers,
    everySeconds: writers / commitsASecond,
    readMs: ASSUMED.s3GetMs,
    putMs: 2 * (transferMs + jsonMs) + ASSUMED.s3PutMs,
    seed: SEED,
  })
  const requestsAMonth = requestsOf(month, scale, commitsAMonth, commits)
  const looksASecond = ASSUMED.gateways / ASSUMED.followSeconds
  const snapshotBytes = month.storedBytes * writers
  return {
    ...{ scale, intervalSeconds, month, commits, commitsASecond, manifestBytes },
    files: month.fullest.reduce((sum, { deltas }) => sum + 1 + deltas.length, 0) * writers,
    // Each attempt reads and writes it; `latest.json` follows, which reads it again and is about half of it, read and written.
    manifestBytesASecond: manifestBytes * (commitsASecond * (2 * commits.attemptsACommit + 2) + looksASecond),
    requestsAMonth,
    dollarsAMonth: {
      requests: dollarsOfRequests({ PutObject: requestsAMonth.puts, GetObject: requestsAMonth.gets }),
      storage: (snapshotBytes / 1e9) * PRICES.dollarsPerGigabyteMonth,
    },
    snapshotBytes,
    gatewayBytes: {
      memory: documents * rowBytes(1, false),
      ranges: (documents / INDEXED_ROWS) * BYTES_A_BUFFERED_ROW_INDEX,
    },
    redisBytes: documents * measured.redisBytesPerKey,
    kafkaBytes: documents * measured.kafkaBytesPerChange,
    firstLoadCpuSeconds: (documents * measured.cpuMicrosPerChange) / 1e6,
  }
}

function requestsOf(month: Month, { writers }: Scale, commitsAMonth: number, commits: Commits) {
  const attempts = commitsAMonth * commits.attemptsACommit
  const looks = (ASSUMED.gateways * ASSUMED.days * DAY_SECONDS) / ASSUMED.followSeconds
  // A gateway with ranges reads the end and the index of each new file.
  const opened = ASSUMED.gateways * 2 * writers * (month.deltas + month.merges)
  return {
    puts: Math.round(writers * month.puts + attempts + commitsAMonth),
    gets: Math.round(writers * month.gets + attempts + 2 * commitsAMonth + looks + opened),
  }
}

/** With the product's own encoding: all writers' partitions are taken to be as full as one's at the same time. */
function manifestBytesOf(own: readonly ManifestPartition[], writers: number): number {
  const partitions: Manifest['partitions'] = {}
  for (let writer = 0; writer < writers; writer++)
    for (const [at, partition] of own.entries()) partitions[`${writer * own.length + at}`] = partition
  const manifest: Manifest = {
    ...{ version: 1, pipeline: 'freshet', sequence: 1_000_000, writtenAtMs: Date.UTC(2026, 0, 1) },
    ...{ writtenBy: { instance: 'scorer-0-a1b2c3d4', attempt: 'a1b2c3d4e5f6' }, partitions },
  }
  return Buffer.byteLength(manifestRecord.encode(manifest))
}
