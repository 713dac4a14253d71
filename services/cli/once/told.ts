/** What people were last told of runs that fail: a run every five minutes must not mean a message every five minutes. Pure. */
import type { AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import { jsonRecord } from '@freshet/records/json-record.ts'
import { z } from 'zod'

/** Kept in S3 while runs fail. */
const toldSchema = z.object({
  version: z.literal(1),
  /** Of the first run that failed. */
  sinceMs: z.number(),
  toldAtMs: z.number(),
  /** What was told: another cause is told at once. */
  errorCode: z.string(),
})

export type Told = z.infer<typeof toldSchema>

export const TOLD_OBJECT = 'once/told.json'
export const toldRecord = jsonRecord<Told>('what was told of runs', 1, toldSchema)

/** Why a run failed; null when it did not. */
export type Failure = { readonly code: string; readonly message: string } | null

/**
 * @param told of the runs before; null when the last one was well
 * @returns what people are to be told now, if anything, and what to remember
 */
export function afterRun(
  told: Told | null,
  failure: Failure,
  { nowMs, repeatMs }: { readonly nowMs: number; readonly repeatMs: number },
): { readonly message: AlertMessage | null; readonly told: Told | null } {
  const sinceMs = told?.sinceMs ?? nowMs
  const message = (change: AlertMessage['change'], finding: Finding) => ({
    change,
    finding,
    sinceMs,
    atMs: nowMs,
  })
  if (failure === null) return { message: told && message('resolved', findingOf(null)), told: null }
  const isKnown = told?.errorCode === failure.code
  if (isKnown && nowMs - told.toldAtMs < repeatMs) return { message: null, told }
  const next: Told = { version: 1, sinceMs, toldAtMs: nowMs, errorCode: failure.code }
  return { message: message(isKnown ? 'reminder' : 'firing', findingOf(failure)), told: next }
}

function findingOf(failure: Failure): Finding {
  return {
    id: 'once',
    kind: 'once',
    title: 'a run of `freshet once` failed',
    details: failure === null ? {} : { Error: `${failure.code}: ${failure.message}` },
  }
}
