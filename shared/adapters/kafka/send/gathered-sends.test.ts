import { describe, expect, test } from 'vitest'
import type { OutgoingMessage } from '../outgoing-message.ts'
import { GatheredSends } from './gathered-sends.ts'

const never = new AbortController().signal

/** A producer whose requests end when the test says so. */
class HeldProducer {
  readonly requests: { partitions: number[]; signal: AbortSignal; end: PromiseWithResolvers<void> }[] = []

  send(_: string, messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<void> {
    const end = Promise.withResolvers<void>()
    this.requests.push({ partitions: messages.map(({ partition }) => partition), signal, end })
    return end.promise
  }

  get sent(): number[][] {
    return this.requests.map(({ partitions }) => partitions)
  }
}

function open() {
  const producer = new HeldProducer()
  const sends = new GatheredSends(producer)
  const send = (partition: number, signal = never, topic = 't') =>
    sends.send(topic, [{ partition, key: null, value: null }], signal)
  return { producer, send }
}

/** To be asked when all that can happen has happened: at the end of this turn, and of the next. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('sends of several callers', () => {
  test('go together when they come while a request is under way, in the order of their coming', async () => {
    const { producer, send } = open()
    const first = send(0)
    await settled()
    const others = [send(1), send(2), send(3)]
    await settled()
    expect(producer.sent).toEqual([[0]])
    producer.requests[0]!.end.resolve()
    await first
    await settled()
    expect(producer.sent).toEqual([[0], [1, 2, 3]])
    producer.requests[1]!.end.resolve()
    await Promise.all(others)
  })

  test('go together when they come in one turn, however many promises come before theirs', async () => {
    const { producer, send } = open()
    const later = async (partition: number) => {
      for (let step = 0; step < 100 * partition; step++) await null
      await send(partition)
    }
    const sends = [later(0), later(1), later(2)]
    await settled()
    expect(producer.sent).toEqual([[0, 1, 2]])
    producer.requests[0]!.end.resolve()
    await Promise.all(sends)
  })

  test('to different topics have nothing to do with each other', async () => {
    const { producer, send } = open()
    const sends = [send(0, never, 'a'), send(1, never, 'b')]
    await settled()
    expect(producer.sent).toEqual([[0], [1]])
    for (const { end } of producer.requests) end.resolve()
    await Promise.all(sends)
  })

  test('fail together, and those behind them go on', async () => {
    const { producer, send } = open()
    const together = [send(0), send(1)]
    await settled()
    const behind = send(2)
    producer.requests[0]!.end.reject(new Error('refused'))
    for (const one of together) await expect(one).rejects.toThrow('refused')
    await settled()
    producer.requests[1]!.end.resolve()
    await behind
    expect(producer.sent).toEqual([[0, 1], [2]])
  })
})

describe('a caller that gives up', () => {
  test('leaves at once, and what the others brought goes on', async () => {
    const { producer, send } = open()
    const abort = new AbortController()
    const [leaving, staying] = [send(0, abort.signal), send(1)]
    await settled()
    abort.abort()
    await expect(leaving).rejects.toMatchObject({ code: 'KAFKA_PRODUCE_DEADLINE' })
    expect(producer.requests[0]!.signal.aborted).toBe(false)
    producer.requests[0]!.end.resolve()
    await staying
  })

  test('as the last one ends the request too', async () => {
    const { producer, send } = open()
    const abort = new AbortController()
    const sends = [send(0, abort.signal), send(1, abort.signal)]
    await settled()
    abort.abort()
    for (const one of sends) await expect(one).rejects.toMatchObject({ code: 'KAFKA_PRODUCE_DEADLINE' })
    expect(producer.requests[0]!.signal.aborted).toBe(true)
    producer.requests[0]!.end.reject(new Error('stopped'))
    await settled()
  })

  test('while it waits for the request before leaves nothing behind for those who come after it', async () => {
    const { producer, send } = open()
    const first = send(0)
    await settled()
    const abort = new AbortController()
    const leaving = send(1, abort.signal)
    abort.abort()
    await expect(leaving).rejects.toMatchObject({ code: 'KAFKA_PRODUCE_DEADLINE' })
    const [second, third] = [send(2), send(3)]
    producer.requests[0]!.end.resolve()
    await first
    await settled()
    expect(producer.sent).toEqual([[0], [2, 3]])
    expect(producer.requests[1]!.signal.aborted).toBe(false)
    producer.requests[1]!.end.resolve()
    await Promise.all([second, third])
  })

  test('before it has asked sends nothing', async () => {
    const { producer, send } = open()
    await expect(send(0, AbortSignal.abort())).rejects.toMatchObject({ code: 'KAFKA_PRODUCE_DEADLINE' })
    await settled()
    expect(producer.sent).toEqual([])
  })
})
