import type { Finding } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'

/** @returns the order that keeps people from hearing of it, e.g. `silence 3f2a`; null where there is none */
export function silencedBy(orders: readonly Order[], finding: Pick<Finding, 'id' | 'kind'>): string | null {
  if (orders.some(({ order }) => order === 'maintenance')) return 'maintenance'
  for (const order of orders)
    if (order.order === 'silence' && matches(order.match, finding)) return `silence ${order.id}`
  return null
}

/** @param pattern an alert's id or its kind; `*` stands for any characters */
export function matches(pattern: string, { id, kind }: Pick<Finding, 'id' | 'kind'>): boolean {
  const parts = pattern.split('*')
  return fits(parts, id) || fits(parts, kind)
}

/** Whether the text is these parts in this order, with anything between them. */
function fits(parts: readonly string[], text: string): boolean {
  const [first, last] = [parts[0]!, parts.at(-1)!]
  if (parts.length === 1) return text === first
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false
  const end = text.length - last.length
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
