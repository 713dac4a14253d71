/**
 * What the watchdogs remember is one message of Kafka, which takes 1 MB at most. When much is wrong for long, and nobody
 * can be told, what matters least is left out. Pure.
 */
import { Buffer } from 'node:buffer'
import type { Alert, AlertMessage, Finding } from '@freshet/records/alert-state.ts'

const MAX_UNTOLD_BYTES = 500_000
const MAX_ALERTS_BYTES = 400_000

/** The oldest say less first: the gravest alert without its figures, and how many more there were. */
export function fitUntold(messages: readonly AlertMessage[]): AlertMessage[] {
  return fit(messages, shortMessage, MAX_UNTOLD_BYTES)
}

/** Those that are over lose their texts first; those of the others are there again after the next look. */
export function fitAlerts(alerts: readonly Alert[]): Alert[] {
  const isOver = ({ phase }: Alert) => phase === 'resolved'
  const ordered = [...alerts.filter(isOver), ...alerts.filter((alert) => !isOver(alert))]
  const short = (alert: Alert): Alert => ({ ...alert, finding: bare(alert.finding), measures: [] })
  const fitted = fit(ordered, short, MAX_ALERTS_BYTES)
  const byId = new Map(fitted.map((alert) => [alert.finding.id, alert]))
  return alerts.map((alert) => byId.get(alert.finding.id) ?? alert)
}

/** Each from the first on is shortened until all fit. */
function fit<T>(items: readonly T[], shorten: (item: T) => T, maxBytes: number): T[] {
  const fitted = [...items]
  let bytes = fitted.reduce((sum, item) => sum + bytesOf(item), 0)
  for (let at = 0; at < fitted.length && bytes > maxBytes; at++) {
    const short = shorten(fitted[at]!)
    bytes += bytesOf(short) - bytesOf(fitted[at])
    fitted[at] = short
  }
  return fitted
}

function shortMessage(message: AlertMessage): AlertMessage {
  const { alerts } = message
  const gravest = alerts.find(({ finding }) => finding.severity === 'critical') ?? alerts[0]!
  const alert = { ...gravest, finding: bare(gravest.finding), measures: [] }
  return { ...message, alerts: [alert], more: message.more + alerts.length - 1 }
}

function bare({ advice: _, ...finding }: Finding): Finding {
  return { ...finding, details: {} }
}

function bytesOf(item: unknown): number {
  return Buffer.byteLength(JSON.stringify(item))
}
