import { PoolSearcher } from '@freshet/adapters/elasticsearch/search-pool.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { adviseOnTopics, checkTopics } from '@freshet/adapters/kafka/topics.ts'
import { tryRedisAccess } from '@freshet/adapters/redis/access.ts'
import { checkRedis } from '@freshet/adapters/redis/check.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { describeError, FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { compileTemplates } from '@freshet/gateway/rank/template.ts'
import { concernOfAge } from '@freshet/gateway/server/certificate-age.ts'
import { readTls, tlsFiles } from '@freshet/gateway/server/tls.ts'
import { checkKibana } from '@freshet/kibana/import/import-objects.ts'
import { loadPromotedModel } from '@freshet/model/bundle/pointer-store.ts'
import { checkSnapshot } from '@freshet/snapshot/check-snapshot.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { promisedCapture } from './capture-promise.ts'
import { type CaptureReport, complaintOf, reportCapture } from './capture-report.ts'
import { excessRights } from './excess-rights.ts'
import { gatewayConcerns } from './gateway-concerns.ts'
import { telemetryConcerns } from './telemetry-concerns.ts'

export interface CheckResult {
  readonly name: string
  /** What is wrong and what to do. */
  readonly error?: string
  /** Of the check of Elasticsearch, wrong or not. */
  readonly capture?: CaptureReport
  /** What is not wrong, but worth a thought. */
  readonly warnings?: readonly string[]
}

type Findings = Omit<CheckResult, 'name'>

interface Check {
  readonly name: string
  /** Rejects with what is wrong, where it has nothing else to tell. */
  readonly run: (settings: Settings, signal: AbortSignal) => Promise<Findings>
}

const PATIENCE_MS = 10_000
/** Reading every file takes as long as a load of the gateway does; a length tells of one that was cut. */
export const SNAPSHOT_CHECK =
  'the snapshot in S3: the length of its files (`freshet snapshot check` reads them)'

export const CHECKS: readonly Check[] = [
  {
    name: 'Elasticsearch and its index',
    run: ({ elasticsearch }, signal) => checkCapture(elasticsearch, signal),
  },
  {
    name: 'Kafka and its topics',
    run: async ({ kafka, pipeline }, signal) => {
      const connection = connectKafka(kafka, { clientId: 'freshet-doctor', log: quietLog })
      await checkTopics(connection, pipeline, signal)
      return { warnings: await adviseOnTopics(connection, pipeline, signal) }
    },
  },
  { name: 'Redis', run: ({ redis, pipeline }) => checkCache(redis, pipeline) },
  {
    name: 'S3 and the promoted model',
    run: async ({ s3 }, signal) => {
      await using store = openS3(s3)
      await loadPromotedModel(store, signal)
      return {}
    },
  },
  {
    name: 'no rights beyond those that are needed, as far as the servers tell',
    run: async (settings, signal) => ({ warnings: await excessRights(settings, signal) }),
  },
  {
    name: SNAPSHOT_CHECK,
    run: async ({ s3, pipeline }, signal) => {
      await using store = openS3(s3)
      await checkSnapshot(store, pipeline, signal)
      return {}
    },
  },
  {
    name: 'Kibana, where kibana.url names one',
    run: async ({ kibana: { url, ...access } }, signal) => {
      if (url !== undefined) await checkKibana({ ...access, url }, signal)
      return {}
    },
  },
  {
    name: 'whose key writes telemetry',
    run: async (settings) => ({ warnings: telemetryConcerns(settings) }),
  },
  { name: 'who may ask the gateway', run: async ({ gateway }) => checkGateway(gateway) },
  {
    name: 'the queries of the gateway’s rank',
    run: async (settings, signal) => {
      const { elasticsearch, gateway } = settings
      const templates = compileTemplates(gateway.rank, elasticsearch.index)
      if (gateway.rank.apiKey !== undefined) {
        const own = Object.values(gateway.rank.templates).flatMap(({ index }) => index ?? [])
        const indices = templates.size > own.length || own.length === 0 ? [elasticsearch.index, ...own] : own
        await searchOnce(settings, [...new Set(indices)], signal)
      }
      return {}
    },
  },
]

async function checkCapture(settings: Settings['elasticsearch'], signal: AbortSignal): Promise<Findings> {
  try {
    const capture = await reportCapture(settings, signal)
    const complaint = complaintOf(capture)
    return complaint === undefined ? { capture } : { capture, error: describeError(complaint) }
  } catch (error) {
    return {
      capture: { ...promisedCapture(settings), promise: null, indices: [], warnings: [] },
      error: describeError(error),
    }
  }
}

/**
 * A user may be that of a gateway, which only reads.
 * @throws REDIS_UNAUTHORIZED with what this user may not do, and what checkRedis throws
 */
async function checkCache(redis: Settings['redis'], pipeline: string): Promise<Findings> {
  const { missingToRead, missingToWrite } = await tryRedisAccess(redis, pipeline)
  if (missingToRead.length > 0)
    throw new FreshetError(
      'REDIS_UNAUTHORIZED',
      `this user may not ${[...missingToRead, ...missingToWrite].join(', ')}: see infra/access/redis.acl`,
    )
  if (missingToWrite.length > 0)
    return {
      warnings: [
        `this user may only read, which is enough for a gateway; a scorer, \`freshet refill\` and \`freshet once\` need ${missingToWrite.join(', ')} too: see infra/access/redis.acl`,
      ],
    }
  await checkRedis(redis)
  return {}
}

/** @throws CONFIG_INVALID, of its certificate */
function checkGateway(gateway: Settings['gateway']): Findings {
  const files = tlsFiles(gateway.tls)
  const { errors, warnings } = gatewayConcerns(gateway)
  const age = files && concernOfAge(readTls(files).cert, systemClock.nowMs())
  if (age !== undefined) (age.isRefused ? errors : warnings).push(age.text)
  return { warnings, ...(errors.length > 0 && { error: errors.join('; ') }) }
}

/** As the gateway searches, with the key that it searches with. @throws ELASTICSEARCH_UNAUTHORIZED, INDEX_MISSING, … */
async function searchOnce(
  { elasticsearch, gateway }: Settings,
  indices: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  using searcher = new PoolSearcher(elasticsearch, { apiKey: gateway.rank.apiKey, maxSockets: 1 })
  for (const index of indices) {
    try {
      await searcher.search(index, '{"size":0}', signal)
    } catch (error) {
      const { code, message } = toFreshetError(error)
      throw new FreshetError(code, `with gateway.rank.apiKey, ${index}: ${message}`, { cause: error })
    }
  }
}

/** All checks side by side; one that does not end in time is wrong too. */
export function runChecks(settings: Settings): Promise<CheckResult[]> {
  return Promise.all(
    CHECKS.map(async ({ name, run }) => {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      try {
        return { name, ...(await Promise.race([run(settings, signal), expiry(signal)])) }
      } catch (error) {
        return { name, error: describeError(error) }
      }
    }),
  )
}

function expiry(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new FreshetError('DEADLINE', `no answer within ${PATIENCE_MS / 1000} s`))
    signal.addEventListener('abort', fail, { once: true })
  })
}
