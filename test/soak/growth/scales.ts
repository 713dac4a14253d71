/** Pipelines that no machine at hand can run, and what is assumed of them. Change them here, then `npm run reference`. */

export interface Scale {
  readonly name: string
  readonly documents: number
  /** `kafka.partitions`. */
  readonly partitions: number
  /** Scorers that write the snapshot; partitions are shared evenly. */
  readonly writers: number
  /** `snapshot.intervalSeconds` */
  readonly intervalSeconds: number
  /** `snapshot.maxBufferedRows` */
  readonly maxBufferedRows: number
}

const BILLION = 1_000_000_000

export const SCALES: readonly Scale[] = [
  {
    name: '1 billion',
    documents: BILLION,
    partitions: 64,
    writers: 4,
    intervalSeconds: 60,
    maxBufferedRows: 250_000,
  },
  {
    name: '1 billion, in no hurry',
    documents: BILLION,
    partitions: 64,
    writers: 4,
    intervalSeconds: 600,
    maxBufferedRows: 250_000,
  },
  {
    name: '100 billion, defaults',
    documents: 100 * BILLION,
    partitions: 1_000,
    writers: 50,
    intervalSeconds: 60,
    maxBufferedRows: 250_000,
  },
  {
    name: '100 billion',
    documents: 100 * BILLION,
    partitions: 1_000,
    writers: 50,
    intervalSeconds: 900,
    maxBufferedRows: 1_500_000,
  },
]

export const ASSUMED = {
  days: 30,
  /** Of the documents, each day, spread evenly over the day and over them. */
  changedShareADay: 0.05,
  /** Gateways, each of which looks for a new manifest every `snapshot.followSeconds`. */
  gateways: 4,
  followSeconds: 5,
  /** S3: until the first byte of an answer, and until a put is acknowledged; then bytes. */
  s3GetMs: 30,
  s3PutMs: 60,
  s3BytesPerSecond: 100e6,
  /** The manifest, read and checked or written as JSON in one thread: one of 10 MB went at 80 (cold) to 370 MB/s. */
  jsonBytesPerSecond: 100e6,
  /** One core of a writer, which merges half of the time: decisions/0012. */
  mergedRowsPerSecond: 300_000,
} as const
