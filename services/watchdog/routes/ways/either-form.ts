import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { Outcome } from './way.ts'

export interface Forms<Form> {
  readonly whole: Form
  /** For what is refused as a whole; undefined where there is none. */
  readonly short: Form | undefined
  readonly log: Log
  /** What the log says before the short one is sent. */
  readonly line: string
}

/** Sends a notice as a whole, and once more in a short form where the other side refuses that. */
export async function sendEitherForm<Form>(
  { whole, short, log, line }: Forms<Form>,
  send: (form: Form) => Promise<Outcome>,
  signal: AbortSignal,
): Promise<Outcome> {
  const outcome = await send(whole)
  if (outcome.kind !== 'refused' || short === undefined || signal.aborted) return outcome
  log.warn(line, { [ATTRIBUTES.exceptionMessage]: outcome.why })
  return evenShort(await send(short))
}

/** Who refuses even a line of text takes nothing: that is not about the notice. */
function evenShort(outcome: Outcome): Outcome {
  return outcome.kind === 'refused' ? { kind: 'closed', why: outcome.why } : outcome
}
