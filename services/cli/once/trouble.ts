import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'

/** A worker that was started again so shortly ago has not shown that it can work. */
const UNPROVEN_MS = 15_000

interface Trouble {
  readonly error: FreshetError
  /** undefined while the worker has not been started again. */
  readonly goneAtMs: number | undefined
}

/** What keeps workers from working, by worker. */
export type Troubles = ReadonlyMap<string, FreshetError>

/** A context that also remembers why work stands still, as the services in it tell. */
export function withTroubles(
  context: ServiceContext,
  clock: Pick<Clock, 'nowMs'>,
): { readonly context: ServiceContext; readonly troubles: () => Troubles } {
  const all = new Map<string, Trouble>()
  const { report } = context
  return {
    troubles() {
      const isThere = ({ goneAtMs = Number.POSITIVE_INFINITY }: Trouble) =>
        clock.nowMs() - goneAtMs < UNPROVEN_MS
      return new Map([...all].flatMap(([worker, it]) => (isThere(it) ? [[worker, it.error]] : [])))
    },
    context: {
      ...context,
      report: {
        progressed: (stage, units) => report.progressed(stage, units),
        usesModel: (model) => report.usesModel(model),
        failing(worker, error) {
          all.set(worker, { error: toFreshetError(error), goneAtMs: undefined })
          report.failing(worker, error)
        },
        running(worker) {
          const trouble = all.get(worker)
          if (trouble !== undefined)
            all.set(worker, { ...trouble, goneAtMs: trouble.goneAtMs ?? clock.nowMs() })
          report.running(worker)
        },
      },
    },
  }
}

/** What was not reached in time has a cause that a service has told. */
export function withWhy(error: unknown, troubles: Troubles): unknown {
  const known = toFreshetError(error)
  if (troubles.size === 0 || known.code !== 'DEADLINE') return error
  const why = [...troubles].map(([worker, { code, message }]) => `${worker} fails with ${code}: ${message}`)
  return new FreshetError('DEADLINE', [known.message, ...why].join('; '), { cause: error })
}
