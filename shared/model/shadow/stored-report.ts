import { Buffer } from 'node:buffer'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { type ShadowReport, shadowReportKey, shadowReportRecord } from '@freshet/records/shadow-report.ts'
import { mergeReports } from './merge-reports.ts'

const MAX_ATTEMPTS = 10

/** @param label `name@version` of the shadow. @returns null before the first report */
export async function readShadowReport(
  store: ObjectStore,
  label: string,
  signal?: AbortSignal,
): Promise<ShadowReport | null> {
  const stored = await getIfThere(store, shadowReportKey(label), signal)
  return stored && shadowReportRecord.decode(stored.body)
}

/**
 * Adds to what is reported of the comparison; where that is an earlier comparison, takes its place. All scorers write one
 * object, each on top of the other.
 * @throws OBJECT_CHANGED when others were faster again and again: nothing is added. What the store throws: it may be.
 */
export async function addToShadowReport(
  store: ObjectStore,
  report: ShadowReport,
  signal?: AbortSignal,
): Promise<void> {
  const key = shadowReportKey(report.shadow)
  for (let attempt = 1; ; attempt++) {
    const stored = await getIfThere(store, key, signal)
    const before = stored === null ? [] : [shadowReportRecord.decode(stored.body)]
    const body = Buffer.from(shadowReportRecord.encode(mergeReports([...before, report])!))
    try {
      await store.put(key, body, stored === null ? 'absent' : { ifMatch: stored.etag }, signal)
      return
    } catch (error) {
      if (!isFreshetError(error, 'OBJECT_CHANGED') || attempt === MAX_ATTEMPTS) throw error
    }
  }
}
