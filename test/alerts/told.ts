/** What people were told, read out of the messages that Slack took. */
import type { SlackReceiver } from '@freshet/demo/slack-receiver.ts'

export interface Told {
  readonly change: 'FIRING' | 'STILL FIRING' | 'FLAPPING' | 'RESOLVED'
  /** What is wrong, as people read it. */
  readonly title: string
  readonly atMs: number
}

/** A headline of one alert, with or without the sign before it and the stars of bold type. */
const HEADLINE = /^(?:\P{L}+)?(FIRING|STILL FIRING|FLAPPING|RESOLVED)(?: after [^:]*)?: (.+?)\*?$/u

/** Oldest first; a message about several alerts is as many. */
export function whatWasTold(messages: SlackReceiver['messages']): Told[] {
  return messages.flatMap(({ blocks, receivedAtMs }) =>
    textsOf(blocks)
      .flatMap((text) => text.split('\n'))
      .flatMap((line) => {
        const [, change, title] = HEADLINE.exec(line) ?? []
        return title === undefined
          ? []
          : [{ change: change as Told['change'], title: unescaped(title), atMs: receivedAtMs }]
      }),
  )
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}
