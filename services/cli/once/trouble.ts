import { type FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { ServiceContext } from '@freshet/service/service.ts'

/** A context that also remembers why work stands still, as the services in it tell. */
export function withTrouble(context: ServiceContext): {
  readonly context: ServiceContext
  /** undefined while work goes on. */
  readonly trouble: () => FreshetError | undefined
} {
  let now: FreshetError | undefined
  const { report } = context
  return {
    trouble: () => now,
    context: {
      ...context,
      report: {
        progressed: (stage, units) => report.progressed(stage, units),
        usesModel: (model) => report.usesModel(model),
        failing(error) {
          now = toFreshetError(error)
          report.failing(error)
        },
        running() {
          now = undefined
          report.running()
        },
      },
    },
  }
}
