import { X509Certificate } from 'node:crypto'

const DAY_MS = 24 * 3_600_000
/** So long before its end a certificate that renews itself would have been renewed. */
const SOON_MS = 14 * DAY_MS

export interface AgeConcern {
  /** Callers refuse it now. */
  readonly isRefused: boolean
  readonly text: string
}

/** @param cert PEM that can be read; the first certificate in it is that of the gateway */
export function concernOfAge(cert: string, nowMs: number): AgeConcern | undefined {
  const { validFromDate, validToDate } = new X509Certificate(cert)
  const day = (date: Date) => date.toISOString().slice(0, 10)
  const leftMs = validToDate.getTime() - nowMs
  if (leftMs <= 0)
    return {
      isRefused: true,
      text: `gateway.tls.certFile: the certificate ended on ${day(validToDate)}, callers refuse it: renew it`,
    }
  if (validFromDate.getTime() > nowMs)
    return {
      isRefused: true,
      text: `gateway.tls.certFile: the certificate begins on ${day(validFromDate)}, callers refuse it until then`,
    }
  if (leftMs >= SOON_MS) return undefined
  const days = Math.floor(leftMs / DAY_MS)
  return {
    isRefused: false,
    text: `gateway.tls.certFile: the certificate ends on ${day(validToDate)}, in ${days} ${days === 1 ? 'day' : 'days'}: renew it`,
  }
}
