import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { ALERT_STATE_KEY } from './alert-state.ts'
import { controlKey, type Order, Orders, orderRecord, speakerClaimRecord } from './control.ts'
import { golden } from './golden/golden.kit.ts'

const stamp = { version: 1, by: 'anna', reason: 'the disk is changed', atMs: 1_000, untilMs: 5_000 } as const
const silence: Order = { order: 'silence', ...stamp, id: '3f2a', match: 'lag/*' }
const maintenance: Order = { order: 'maintenance', ...stamp, atMs: 2_000 }
const trace: Order = { order: 'trace', ...stamp, key: 'flight-1', untilMs: 9_000 }

test('orders of version 1 keep their bytes', () => {
  const lines = golden('orders.v1.txt').toString().split('\n')
  expect([silence, maintenance, trace].map((order) => orderRecord.encode(order))).toEqual(lines)
  expect(lines.map((line) => orderRecord.decode(line))).toEqual([silence, maintenance, trace])
})

test('which watchdog speaks is kept in the bytes of version 1', () => {
  const claim = { version: 1, instance: 'watchdog-1', claim: CLAIM, atMs: 1_764_000_000_000 } as const
  const text = golden('speaker-claim.v1.txt').toString()
  expect(speakerClaimRecord.encode(claim)).toBe(text)
  expect(speakerClaimRecord.decode(text)).toEqual(claim)
})

const CLAIM = '3f2a1b0c-4d5e-4f60-8a7b-9c0d1e2f3a4b'

test('an order goes until it ends or is taken back, and a later one under its key takes its place', () => {
  const orders = new Orders()
  for (const order of [trace, maintenance, silence])
    orders.hear(controlKey(order), Buffer.from(orderRecord.encode(order)))
  expect(orders.inForce(4_999)).toEqual([trace, silence, maintenance])
  expect(orders.inForce(5_000)).toEqual([trace])
  expect(orders.endedBefore(6_000)).toEqual([maintenance, silence])
  orders.hear(controlKey(trace), Buffer.from(orderRecord.encode({ ...trace, untilMs: 20_000 })))
  expect(orders.inForce(10_000).map(({ untilMs }) => untilMs)).toEqual([20_000])
  orders.hear(controlKey(trace), null)
  expect(orders.inForce(5_000)).toEqual([])
})

test('the watchdogs’ memory is no order, and an order that cannot be read ends the one before it', () => {
  const orders = new Orders()
  orders.hear(ALERT_STATE_KEY, Buffer.from('{"version":2}'))
  orders.hear('maintenance', Buffer.from(orderRecord.encode(maintenance)))
  expect(() => orders.hear('maintenance', Buffer.from('{"version":9}'))).toThrow(/order version 9/)
  expect(orders.inForce(4_000)).toEqual([])
})
