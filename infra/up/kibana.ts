import type { Settings } from '@freshet/config/schema.ts'
import { describeError, isFreshetError } from '@freshet/errors/errors.ts'
import { importIntoKibana } from '@freshet/kibana/import/import-objects.ts'
import { systemClock } from '@freshet/stage/clock.ts'

export interface KibanaOptions {
  readonly report: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Brings our views to Kibana where there is one. The pipeline runs without it, so one that is away is only told of.
 * @throws KIBANA_UNAUTHORIZED, KIBANA_REFUSED: it answers, and something is to be mended
 */
export async function bringToKibana(
  { kibana }: Pick<Settings, 'kibana'>,
  { report, signal }: KibanaOptions,
): Promise<void> {
  const { url } = kibana
  if (url === undefined) return report('Kibana: kibana.url names none, so nothing is imported')
  const onWait = (why: string) => report(`waits up to ${kibana.waitSeconds} s: ${why}`)
  try {
    const imported = await importIntoKibana({ ...kibana, url }, { clock: systemClock, signal, onWait })
    report(`Kibana has ${imported.objects} views of Freshet: ${imported.dashboardUrl}`)
  } catch (error) {
    if (!isFreshetError(error, 'KIBANA_UNREACHABLE')) throw error
    report(`nothing is imported into Kibana. ${describeError(error)}`)
  }
}
