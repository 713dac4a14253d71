import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { type BackOff, retry } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { timeLimit } from '@freshet/stage/time-limit.ts'
import { savedObjects, toNdjson } from '../export/export.ts'
import { dashboardLink, kibanaForPeople } from '../links.ts'
import { KibanaClient, sayingOf } from './kibana-client.ts'

export interface ImportOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Told once when Kibana has to be waited for. */
  readonly onWait?: (why: string) => void
}

export interface Imported {
  /** Data views, sessions, pictures and the dashboard. */
  readonly objects: number
  /** Where people see them. */
  readonly dashboardUrl: string
}

const STATUS_LIMIT_MS = 5_000
const IMPORT_LIMIT_MS = 60_000
const BACK_OFF: BackOff = { firstMs: 500, maxMs: 3_000 }
const LAST_DAY_MS = 86_400_000

/**
 * Brings data views, sessions and the dashboard to Kibana, over what an earlier import brought. Waits up to
 * kibana.waitSeconds for a Kibana that is away or starting.
 * @throws KIBANA_UNREACHABLE, KIBANA_UNAUTHORIZED, KIBANA_REFUSED
 */
export async function importIntoKibana(
  kibana: Settings['kibana'] & { readonly url: string },
  { clock, signal, onWait }: ImportOptions,
): Promise<Imported> {
  const client = new KibanaClient(kibana)
  using waiting = timeLimit(kibana.waitSeconds * 1_000, { clock, signal })
  let waited = false
  await retry(() => expectReady(client, signal), {
    ...{ backOff: BACK_OFF, clock, signal: waiting.signal },
    onError: (error) => {
      if (!waited) onWait?.((error as Error).message)
      waited = true
    },
  })
  const objects = savedObjects()
  const file = new FormData()
  file.set('file', new Blob([toNdjson(objects)], { type: 'application/ndjson' }), 'freshet.ndjson')
  const answer = await client.ask('/api/saved_objects/_import?overwrite=true', {
    ...{ method: 'POST', body: file, limitMs: IMPORT_LIMIT_MS, signal },
  })
  if (answer.status !== 200)
    throw new FreshetError('KIBANA_REFUSED', `the import answers ${answer.status}: ${sayingOf(answer.text)}`)
  expectSuccess(answer.text, objects.length)
  const nowMs = clock.nowMs()
  return {
    objects: objects.length,
    dashboardUrl: dashboardLink(kibanaForPeople({ kibana })!, { fromMs: nowMs - LAST_DAY_MS, toMs: 'now' }),
  }
}

/** Whether Kibana answers as such now. @throws KIBANA_UNREACHABLE, KIBANA_UNAUTHORIZED, KIBANA_REFUSED */
export async function checkKibana(
  kibana: Pick<Settings['kibana'], 'apiKey'> & { readonly url: string },
  signal: AbortSignal,
): Promise<void> {
  await expectReady(new KibanaClient(kibana), signal)
}

/** @throws KIBANA_UNREACHABLE while it is starting */
async function expectReady(client: KibanaClient, signal: AbortSignal): Promise<void> {
  const { status, text } = await client.ask('/api/status', {
    method: 'GET',
    limitMs: STATUS_LIMIT_MS,
    signal,
  })
  const level = status === 200 || status === 503 ? levelOf(text) : undefined
  if (level === 'available' || level === 'degraded') return
  // It answers 503 in plain words before it has anything to say of itself.
  if (level !== undefined || status === 503)
    throw new FreshetError(
      'KIBANA_UNREACHABLE',
      `Kibana at ${client.address} is still starting: ${level ?? sayingOf(text)}`,
    )
  throw new FreshetError(
    'KIBANA_REFUSED',
    `what answers ${status} at ${client.address} is not Kibana: ${sayingOf(text)}`,
  )
}

/** undefined: it is not what Kibana says. */
function levelOf(text: string): string | undefined {
  try {
    const { status } = JSON.parse(text) as { status?: { overall?: { level?: unknown } } }
    return typeof status?.overall?.level === 'string' ? status.overall.level : undefined
  } catch {
    return undefined
  }
}

interface ImportAnswer {
  readonly success?: boolean
  readonly successCount?: number
  readonly errors?: readonly {
    readonly type?: string
    readonly id?: string
    readonly error?: {
      readonly type?: string
      readonly message?: string
      readonly references?: readonly { readonly type: string; readonly id: string }[]
    }
  }[]
}

/** Status 200 says only that the file was read. */
function expectSuccess(text: string, objects: number): void {
  let answer: ImportAnswer
  try {
    answer = JSON.parse(text) as ImportAnswer
  } catch {
    throw new FreshetError('KIBANA_REFUSED', `the import answers what is not JSON: ${sayingOf(text)}`)
  }
  const { success, successCount, errors = [] } = answer
  if (success === true && successCount === objects) return
  const why = errors.map(({ type, id, error }) => {
    const missing = error?.references?.map((one) => `${one.type} ${one.id}`).join(', ')
    return `${type} ${id}: ${[error?.type, missing, error?.message].filter(Boolean).join(' ')}`
  })
  throw new FreshetError(
    'KIBANA_REFUSED',
    `${successCount ?? 0} of ${objects} objects were imported${why.length > 0 ? `; ${why.join('; ')}` : ''}`,
  )
}
