import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Log } from '@freshet/stage/log.ts'
import { itemHeadline } from './formats/words.ts'
import type { Notice } from './notice.ts'

/** A line for each alert: where people have no other way, and for what no way takes. */
export function logNotice(log: Log, { kind, headline, items, more, figures }: Notice): void {
  for (const item of items)
    log.warn(itemHeadline(item), {
      [ATTRIBUTES.eventName]: 'freshet.alert',
      [ATTRIBUTES.alertChange]: item.change,
      [ATTRIBUTES.alertId]: item.id,
      [ATTRIBUTES.alertDetails]: inOneLine(item.details),
    })
  if (more > 0) log.warn(`and ${more} more alerts; \`freshet alerts\` shows all`)
  if (kind === 'daily')
    log.info(headline, {
      [ATTRIBUTES.eventName]: 'freshet.daily',
      [ATTRIBUTES.alertDetails]: inOneLine(figures),
    })
}

function inOneLine(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${value}`)
    .join('; ')
}
