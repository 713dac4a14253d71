/** The tables of docs/capacity.md: what the last soak measured, and how that grows. `npm run reference` writes them. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdownTable } from '../markdown-table.ts'
import { type Growth, growthOf, type Measured } from './growth/growth.ts'
import { ASSUMED, SCALES } from './growth/scales.ts'
import { PRICES } from './prices.ts'
import type { SoakSummary } from './run-soak.ts'

export const CAPACITY_PAGE = join(import.meta.dirname, '..', '..', 'docs', 'capacity.md')
const RESULTS = join(import.meta.dirname, 'results')

/** The page with its tables as they should be; the text between them is people's. */
export function withTables(page: string): string {
  const summary = readResult('soak-1m.json')
  const large = readResult('soak-10m.json')
  const growth = SCALES.map((scale) => growthOf(scale, measuredBy(large)))
  const tables: Readonly<Record<string, string>> = {
    run: runTable(summary),
    processes: processTable(summary),
    s3: s3Table(summary),
    'run-large': runTable(large),
    'processes-large': processTable(large),
    's3-large': s3Table(large),
    assumed: assumedTable(),
    growth: growthTable(growth),
  }
  return Object.entries(tables).reduce((text, [name, table]) => replaceTable(text, name, table), page)
}

export function writeCapacityPage(): void {
  writeFileSync(CAPACITY_PAGE, withTables(readFileSync(CAPACITY_PAGE, 'utf8')))
}

/** By the soak, for each document or change. */
function measuredBy({ figures, snapshot, diskBytes }: SoakSummary): Measured {
  const changes = figures.documents + figures.updates + figures.deletes
  const cpuOf = (name: string) => figures.processes[name]?.cpuSecondsPerMillion ?? 0
  return {
    snapshotBytesPerRow: snapshot.bytes / snapshot.rows,
    redisBytesPerKey: figures.redis.bytesPerKey,
    kafkaBytesPerChange: (diskBytes.kafka ?? 0) / changes,
    cpuMicrosPerChange: cpuOf('poller') + cpuOf('scorer'),
  }
}

function readResult(name: string): SoakSummary {
  return JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as SoakSummary
}

function replaceTable(page: string, name: string, table: string): string {
  const place = new RegExp(`(<!-- table: ${name} -->\n)[^]*?(<!-- end -->)`)
  if (!place.test(page)) throw new Error(`docs/capacity.md has no place for the table ${name}`)
  return page.replace(place, (_, before: string, after: string) => `${before}\n${table}\n${after}`)
}

function runTable({ host, plan, figures, drainSeconds, proof, snapshot, diskBytes }: SoakSummary): string {
  const { load, calm } = figures.freshnessMs
  const freshness = (of: typeof load) =>
    of === undefined
      ? '–'
      : `p50 ${count(of.p50)} ms, p99 ${count(of.p99)} ms, p99.9 ${count(of.p999)} ms (${count(of.samples)} samples)`
  const { verify, oracle } = proof
  const broken =
    oracle === null
      ? 'not asked'
      : ([oracle.redis, oracle.snapshot] as const)
          .map(({ missing, stale, extra }) => `${missing} missing, ${stale} stale, ${extra} extra`)
          .join('; in the snapshot ')
  const lag = Object.entries(figures.lagAtEndOfLoad).map(([name, { records }]) => `${name} ${count(records)}`)
  return markdownTable(
    ['', ''],
    [
      [
        'machine',
        `${host.cpu}, ${host.cores} cores, ${host.memoryGiB} GiB, Node ${host.node}, commit ${host.commit}, ${host.date}`,
      ],
      ['its load before the run', `${host.loadBefore}`],
      [
        'written',
        `${count(figures.documents)} documents (of ${count(plan.documents)} asked for), ${count(figures.updates)} updates, ${count(figures.deletes)} deletes`,
      ],
      ['load', `${count(figures.loadSeconds)} s, ${count(figures.changesPerSecond)} changes/s`],
      ['oldest sample waits, first and second half', `${figures.waitingSecondsByHalf.join(' s, ')} s`],
      ['messages that wait at the end of the load', lag.join(', ')],
      [
        'from there until none waits for Redis, for the snapshot',
        `${drainSeconds.toRedis} s, ${drainSeconds.toSnapshot} s`,
      ],
      ['freshness under full load', freshness(load)],
      ['freshness at a quarter of that rate', freshness(calm)],
      ['samples without a score in 300 s', count(figures.neverFresh)],
      [
        '`freshet verify`',
        verify === null
          ? 'did not end in time, see below'
          : `${count(verify.live)} live, ${count(verify.scored)} scored, ${verify.missing} missing, ${verify.stale} stale, ${verify.extra} extra; ${verify.seconds} s with its waits`,
      ],
      ['oracle', oracle === null ? broken : `in Redis ${broken}`],
      ['Redis', `${count(figures.redis.bytesPerKey)} bytes a key (${count(figures.redis.keys)} keys)`],
      [
        'snapshot',
        `${digits(snapshot.bytes / snapshot.rows)} bytes a row (${count(snapshot.rows)} rows in ${snapshot.files} files)`,
      ],
      [
        'disk at the end',
        Object.entries(diskBytes)
          .map(([name, bytes]) => `${name} ${size(bytes)}`)
          .join(', '),
      ],
    ],
  )
}

function processTable({ figures }: SoakSummary): string {
  return markdownTable(
    [
      'process',
      'CPU-seconds a million changes',
      'RSS at the end, MiB',
      'most',
      'its own (no mapped files)',
      'own, slope over the last half, MiB a million documents',
    ],
    Object.entries(figures.processes).map(([name, one]) => [
      name,
      ...[
        one.cpuSecondsPerMillion,
        one.rssMiBAtEnd,
        one.mostRssMiB,
        one.ownMiBAtEnd,
        one.ownMiBPerMillion,
      ].map(count),
    ]),
  )
}

function s3Table({ figures: { s3 } }: SoakSummary): string {
  const requests = Object.entries(s3.requestsPerMillion).map(([kind, many]) => [kind, count(many)])
  return markdownTable(
    ['S3, a million changes', ''],
    [
      ...requests,
      [
        'by who asked',
        Object.entries(s3.requestsPerMillionByService)
          .map(([name, many]) => `${name} ${count(many)}`)
          .join(', '),
      ],
      ['bytes sent, received', `${size(s3.sentBytesPerMillion)}, ${size(s3.receivedBytesPerMillion)}`],
      ['requests cost', `$${digits(s3.dollarsOfRequestsPerMillion)}`],
    ],
  )
}

function assumedTable(): string {
  return markdownTable(
    ['assumption', 'value'],
    [
      ['S3 prices', PRICES.source],
      ['a thousand PUT, POST, LIST', `$${PRICES.dollarsPerThousandWrites}`],
      ['a thousand GET, HEAD', `$${PRICES.dollarsPerThousandReads}`],
      ['a gigabyte for a month', `$${PRICES.dollarsPerGigabyteMonth}`],
      ['documents that change in a day', `${ASSUMED.changedShareADay * 100} %, spread evenly`],
      ['simulated', `${ASSUMED.days} days`],
      ['gateways, each looks every', `${ASSUMED.gateways}, ${ASSUMED.followSeconds} s`],
      [
        'S3: first byte of a GET, acknowledgement of a PUT, then',
        `${ASSUMED.s3GetMs} ms, ${ASSUMED.s3PutMs} ms, ${size(ASSUMED.s3BytesPerSecond)}/s`,
      ],
      ['JSON of the manifest', `${size(ASSUMED.jsonBytesPerSecond)}/s`],
      ['rows that a writer merges beside its work', `${count(ASSUMED.mergedRowsPerSecond)}/s`],
    ],
  )
}

function growthTable(growth: readonly Growth[]): string {
  const row = (name: string, of: (one: Growth) => string) => [name, ...growth.map(of)]
  return markdownTable(
    ['', ...growth.map(({ scale }) => scale.name)],
    [
      row('changes a second', ({ scale }) => count((scale.documents * ASSUMED.changedShareADay) / 86_400)),
      row('`kafka.partitions`; scorers that write', ({ scale }) => `${scale.partitions}; ${scale.writers}`),
      row('a delta every (asked for)', (one) => `${one.intervalSeconds} s (${one.scale.intervalSeconds} s)`),
      row('files, most', ({ files }) => count(files)),
      row('of one partition, most', ({ month }) => `${month.mostFilesOfAPartition}`),
      row('manifest, largest', ({ manifestBytes }) => size(manifestBytes)),
      row('merges: of the time of a writer', ({ month }) => `${digits(100 * month.busyShare)} %`),
      row('the longest merge', ({ month }) => `${count(month.longestMergeSeconds)} s`),
      row('a new row is written again', ({ month }) => `${digits(month.mergedRows / month.newRows)} times`),
      row('commits of the manifest, wanted a minute', (one) => digits(one.commitsASecond * 60)),
      row('attempts a commit', ({ commits }) => digits(commits.attemptsACommit)),
      row('the longest commit', ({ commits }) => `${digits(commits.longestSeconds)} s`),
      row('commits made of those wanted', ({ commits }) => `${digits(100 * commits.keptUpShare)} %`),
      row('manifests moved', (one) => `${size(one.manifestBytesASecond)}/s`),
      row(
        'S3 puts, gets a month',
        ({ requestsAMonth: { puts, gets } }) => `${million(puts)}, ${million(gets)}`,
      ),
      row('requests cost a month', ({ dollarsAMonth }) => `$${count(dollarsAMonth.requests)}`),
      row(
        'snapshot in S3; a month',
        (one) => `${size(one.snapshotBytes)}; $${digits(one.dollarsAMonth.storage)}`,
      ),
      row('a gateway with all in memory', ({ gatewayBytes }) => size(gatewayBytes.memory)),
      row('a gateway with ranges: page index', ({ gatewayBytes }) => size(gatewayBytes.ranges)),
      row('Redis with every key', ({ redisBytes }) => size(redisBytes)),
      row('Kafka, one copy', ({ kafkaBytes }) => size(kafkaBytes)),
      row(
        'first load: CPU of poller and scorer',
        (one) => `${count(one.firstLoadCpuSeconds / 3_600)} core-hours`,
      ),
    ],
  )
}

function count(value: number): string {
  return Math.abs(value) < 10 ? digits(value) : Math.round(value).toLocaleString('en')
}

function digits(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 })
}

function million(value: number): string {
  return `${digits(value / 1e6)} million`
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  return `${digits(bytes / 1_000 ** power)} ${UNITS[power]}`
}
