import type { Finding } from '@freshet/records/alert-state.ts'
import { cut } from '../cut.ts'

/** What an error says may be a page; whoever wants all of it looks into the log. */
const MAX_CHARACTERS = { title: 300, name: 100, value: 600 }
const MAX_DETAILS = 15

type Texts = Pick<Finding, 'title' | 'details' | 'advice'>

/** A finding is remembered in one message of Kafka with all others, so its texts have an end. */
export function shortTexts({ title, details, advice }: Texts): Texts {
  const { name: nameLength, value: valueLength } = MAX_CHARACTERS
  const shown = Object.entries(details).slice(0, MAX_DETAILS)
  return {
    title: cut(title, MAX_CHARACTERS.title),
    details: Object.fromEntries(
      shown.map(([name, value]) => [cut(name, nameLength), cut(value, valueLength)]),
    ),
    ...(advice && {
      advice: { effect: cut(advice.effect, valueLength), firstLook: cut(advice.firstLook, valueLength) },
    }),
  }
}
