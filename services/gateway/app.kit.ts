import { hash } from 'node:crypto'
import type { Scope } from '@freshet/config/gateway-access.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import type { LogAttributes } from '@freshet/stage/log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { ChosenIds } from '@freshet/telemetry/traced/chosen-ids.ts'
import { DocumentNames } from '@freshet/telemetry/traced/document-names.ts'
import { TracedDocuments } from '@freshet/telemetry/traced/traced-documents.ts'
import { INVALID_SPAN_CONTEXT, type SpanOptions, type Tracer, trace } from '@opentelemetry/api'
import { createApp } from './app.ts'
import type { AppParts } from './app-parts.ts'
import { Access } from './keys/access.ts'
import { Ladder } from './ladder/ladder.ts'
import type { Said } from './ladder/said.ts'
import type { Live } from './live/live-rung.ts'
import type { ModelPage } from './live/model-page-schema.ts'
import { ManyLookups } from './many/many-lookups.ts'
import { tableFamilies } from './metrics/table-families.ts'
import { RequestRecord } from './request-record.ts'
import { WorkInHand } from './server/work-in-hand.ts'

export const stored: StoredScore = {
  key: 'flights/UA-1',
  rank: { revision: { documentVersion: 0, epoch: 1, primaryTerm: 1, seqNo: 1 }, modelGeneration: 1 },
  state: 'scored',
  outputs: { delay: 12.5 },
  asOfMs: 1_700_000_000_000,
  scoredAtMs: 1_700_000_000_100,
  model: 'delay@1',
}
const bad: Live = {
  kind: 'unscorable',
  problem: { code: 'FIELD_MISSING', at: '/arr_delay', message: '/arr_delay is missing' },
}
const scored: Live = { kind: 'scored', outputs: { delay: 7 }, model: 'delay@2' }

interface World {
  /** Of every key, or of each. */
  cache?: Said | ((key: string) => Said)
  snapshot?: StoredScore
  live?: Live
  key?: string
  scopes?: Scope[]
  requestsPerSecond?: number
  rank?: AppParts['rank']
  share?: number
  spansPerSecond?: number
  linesPerSecond?: number
  traceOneIn?: number
  keySalt?: string
  default?: number | null
  maxBodyBytes?: number
  model?: ModelPage | null
}

/** The app over rungs that say what the test wants, and everything it tells the world. */
export function gateway({
  cache = { kind: 'has nothing' },
  snapshot,
  live = scored,
  key,
  share = 0,
  spansPerSecond = 100,
  linesPerSecond = 0,
  ...world
}: World) {
  const asked: string[] = []
  const spans: { name: string; options: SpanOptions; traceId: string | undefined }[] = []
  const lines: string[] = []
  const metrics = new Metrics()
  const said: { message: string; attributes: LogAttributes }[] = []
  const tell = (message: string, attributes: LogAttributes = {}) => {
    lines.push(message)
    said.push({ message, attributes })
  }
  const log = { debug: tell, info: tell, warn: tell, error: (message: string) => tell(message) }
  const tracer = {
    startSpan(name, options = {}, context) {
      spans.push({ name, options, traceId: context && trace.getSpanContext(context)?.traceId })
      return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    },
  } as Tracer
  const names = new DocumentNames('test', world.keySalt)
  const traced = new TracedDocuments({ tracer, ids: new ChosenIds(), names, oneIn: world.traceOneIn ?? 0 })
  const telemetry = quietTelemetry({ log, metrics, tracer, traced })
  const ask = (name: string) => {
    asked.push(name)
    return typeof cache === 'function' ? cache(name) : cache
  }
  const rung = { ready: true, get: () => snapshot }
  const rules = { default: world.default ?? null, cacheKeepsAll: true }
  const record = new RequestRecord(telemetry, {
    ...{ share, spansPerSecond, linesPerSecond, random: () => 0.5, onEnded() {} },
  })
  const parts: AppParts = {
    ladder: new Ladder({ ask }, rung, rules),
    many: new ManyLookups({ ask: async (keys) => (at) => ask(keys[at]!) }, rung, rules),
    live: {
      score: async () => live,
      scoreAll: async (documents) =>
        documents.map((document) => ('bad' in (document as object) ? bad : live)),
    },
    rank: world.rank ?? {
      ranker: { rank: () => Promise.reject(new FreshetError('POOL_UNKNOWN', 'no pool')) },
      templates: new Map(),
      index: 'documents',
      rawWithoutKeys: false,
    },
    access: new Access({
      hosts: [],
      keys:
        key === undefined
          ? []
          : [
              {
                name: 'shop',
                sha256: hash('sha256', key),
                scopes: world.scopes ?? ['lookup', 'predict', 'rank'],
                ...(world.requestsPerSecond && { requestsPerSecond: world.requestsPerSecond }),
              },
            ],
    }),
    record,
    work: new WorkInHand({
      deadlineMs: 100,
      nowMs: () => 0,
      activeMs: () => 0,
      onRefused: () => metrics.add('freshet.requests.refused'),
    }),
    model: async () => world.model ?? null,
    figures: async () => [...tableFamilies(metrics.values()), ...record.durations.families()],
    readiness: () => ({
      cache: { ready: typeof cache !== 'function' && cache.kind !== 'was not heard' },
      snapshot: { ready: snapshot !== undefined },
      live: { ready: true },
      default: { ready: false },
    }),
    log,
    limits: { deadlineMs: 100, maxBodyBytes: world.maxBodyBytes ?? 1_024, cacheBudgetMs: 20 },
  }
  const app = createApp(parts)
  const post = (path: string, body: unknown, headers = {}) =>
    app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const predict = (body: unknown, headers = {}) => post('/v1/predict', body, headers)
  return { app, parts, post, predict, asked, spans, lines, said, metrics, traced }
}
