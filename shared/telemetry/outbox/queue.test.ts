import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Queue, type Queued, type Worth } from './queue.ts'

interface Document extends Queued {
  readonly lines: string
}

const document = (bytes: number, worth: Worth, lines = ''): Document => ({ lines, bytes, worth })

test('when memory is full, chatter goes before spans and spans before alarms, the oldest first', () => {
  let dropped = 0
  const queue = new Queue<Document>(50, () => dropped++)
  for (const [at, worth] of (['chatter', 'span', 'alarm', 'chatter', 'span'] as const).entries())
    queue.push(document(10, worth, `${at}`))
  for (const at of [5, 6, 7]) queue.push(document(10, 'alarm', `${at}`))
  expect(dropped).toBe(3)
  expect(queue.take(1_000).map(({ lines }) => lines)).toEqual(['2', '5', '6', '7', '4'])
})

test('what is put back after a failure is taken first the next time', () => {
  const queue = new Queue<Document>(1_000, () => {})
  for (const at of [1, 2, 3]) queue.push(document(10, 'span', `${at}`))
  const taken = queue.take(20)
  queue.putBack(taken)
  expect(queue.take(30).map(({ lines }) => lines)).toEqual(['1', '2', '3'])
})

/*
 * Whatever is pushed, taken, settled and put back in whatever order: memory stays within its bound as long as something
 * waits, and pushed = waiting + in flight + settled + dropped.
 */
test('the bound on memory holds and no document goes uncounted', () => {
  const act = fc.oneof(
    fc.record({
      kind: fc.constant('push'),
      bytes: fc.integer({ min: 1, max: 40 }),
      worth: fc.constantFrom('chatter', 'span', 'metric', 'alarm'),
    }),
    fc.record({ kind: fc.constant('take'), bytes: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ kind: fc.constantFrom('settle', 'putBack') }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      let [pushed, settled, dropped] = [0, 0, 0]
      const queue = new Queue<Document>(100, () => dropped++)
      let flying: Document[] = []
      for (const each of acts) {
        if ('worth' in each) queue.push(document(each.bytes, each.worth as Worth))
        if ('worth' in each) pushed++
        else if ('bytes' in each) {
          if (flying.length === 0) flying = queue.take(each.bytes)
        } else {
          if (each.kind === 'settle') queue.settle(flying)
          else queue.putBack(flying)
          if (each.kind === 'settle') settled += flying.length
          flying = []
        }
        expect(queue.bytes <= 100 || queue.waiting === 0).toBe(true)
        expect(queue.waiting + flying.length + settled + dropped).toBe(pushed)
      }
    }),
  )
})
