import { Buffer } from 'node:buffer'
import {
  controlKey,
  type Order,
  orderRecord,
  SPEAKER_KEY,
  speakerClaimRecord,
} from '@freshet/records/control.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test } from 'vitest'
import { facts } from '../rules/facts.kit.ts'
import { AlertBook } from './alert-book.ts'
import { AlertKeeper } from './alert-keeper.ts'
import { ControlView } from './control-view.ts'
import { Speaker } from './speaker.ts'
import { good, timing } from './story.kit.ts'
import { watch } from './watch-loop.ts'

const HOUR_MS = 3_600_000
const START_MS = 100 * HOUR_MS
const instance = 'watchdog-1'

/** Looks every ten minutes for so many hours. @returns after how many hours which orders left the topic */
async function watchFor(hours: number, { speaks }: { readonly speaks: boolean }, orders: readonly Order[]) {
  const view = new ControlView(quietLog)
  const speaker = new Speaker(instance, view)
  let offset = 0
  const hear = (key: string, value: string | null) =>
    view.hear({ offset: offset++, key: Buffer.from(key), value: value === null ? null : Buffer.from(value) })
  for (const order of orders) hear(controlKey(order), orderRecord.encode(order))
  if (speaks) {
    const claim = speaker.assigned()
    hear(SPEAKER_KEY, speakerClaimRecord.encode({ version: 1, instance, claim, atMs: START_MS }))
    speaker.heard({ check() {} })
  }
  const book = new AlertBook(() => {})
  const keeper = new AlertKeeper({ instance, book, speaker, remembered: () => view.state(), timing })
  const clock = handClock(START_MS)
  const stop = new AbortController()
  const removed: string[] = []
  await watch(
    {
      ...{ intervalMs: HOUR_MS / 6, repeatMs: HOUR_MS, keeper, view, clock, telemetry: quietTelemetry() },
      async look() {
        if (clock.nowMs() - START_MS >= hours * HOUR_MS) stop.abort()
        return facts({ atMs: clock.nowMs() })
      },
      judge: () => good,
      onLook() {},
      store: {
        async save() {},
        loadOlder: async () => undefined,
        forgetSaved() {},
        async remove(keys) {
          for (const key of keys) {
            removed.push(`${key} after ${(clock.nowMs() - START_MS) / HOUR_MS} h`)
            hear(key, null)
          }
        },
      },
    },
    stop.signal,
  )
  return removed
}

function silence(id: string, endsAfterHours: number): Order {
  const untilMs = START_MS + endsAfterHours * HOUR_MS
  return { version: 1, order: 'silence', id, match: 'lag', by: 'ann', reason: 'known', atMs: 0, untilMs }
}

const orders = [silence('old', -30), silence('new', 2.5), silence('long', 300)]

test('orders that ended a day ago leave the topic also while the same watchdog speaks on', async () => {
  expect(await watchFor(48, { speaks: true }, orders)).toEqual([
    'silence/old after 0 h',
    'silence/new after 27 h',
  ])
})

test('who does not speak leaves them to who does', async () => {
  expect(await watchFor(48, { speaks: false }, orders)).toEqual([])
})
