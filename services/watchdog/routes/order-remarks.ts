import type { Order } from '@freshet/records/control.ts'

/** Whoever reads a message must know what would not be told: silences and maintenance, with who ordered them and why. */
export function orderRemarks(orders: readonly Order[]): readonly string[] {
  return orders.flatMap(remarkOf)
}

function remarkOf(order: Order): string[] {
  switch (order.order) {
    case 'silence':
      return [`Silenced: ${order.match} ${untilAndWhy(order)}`]
    case 'maintenance':
      return [`Maintenance, so nobody is told of alerts, ${untilAndWhy(order)}`]
    case 'trace':
      return []
  }
}

function untilAndWhy({ untilMs, by, reason }: Order): string {
  const until = new Date(untilMs).toISOString().slice(0, 16).replace('T', ' ')
  return `until ${until} UTC (${by}${reason === '' ? '' : `: ${reason}`})`
}
