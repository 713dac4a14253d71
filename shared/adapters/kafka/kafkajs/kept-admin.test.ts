import { FreshetError } from '@freshet/errors/errors.ts'
import { expect, test } from 'vitest'
import type { KafkaConnection } from '../connect.ts'
import { KeptAdmin } from './kept-admin.ts'

function counted() {
  const counts = { made: 0, connected: 0, ended: 0 }
  const admin = {
    connect: async () => void counts.connected++,
    disconnect: async () => void counts.ended++,
  }
  const newClient = () => {
    counts.made++
    return { admin: () => admin }
  }
  return { counts, kept: new KeptAdmin({ newClient } as unknown as KafkaConnection) }
}

const what = { doing: 'looking', signal: new AbortController().signal }
const fails = (code: 'KAFKA_REFUSED' | 'KAFKA_UNREACHABLE') => async () => {
  throw new FreshetError(code, 'no')
}

test('one client does for all, and is ended with it', async () => {
  const { counts, kept } = counted()
  for (let look = 0; look < 3; look++) expect(await kept.do(what, async () => look)).toBe(look)
  expect(counts).toEqual({ made: 1, connected: 1, ended: 0 })
  await kept[Symbol.asyncDispose]()
  expect(counts.ended).toBe(1)
})

test('what a kept client cannot do, a new one may; where Kafka is away that is said at once', async () => {
  const { counts, kept } = counted()
  await kept.do(what, async () => {})
  let tries = 0
  const second = await kept.do(what, async () => (tries++ === 0 ? fails('KAFKA_REFUSED')() : 'seen'))
  expect([second, counts.made, counts.ended]).toEqual(['seen', 2, 1])
  await expect(kept.do(what, fails('KAFKA_UNREACHABLE'))).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' })
  expect(counts).toEqual({ made: 2, connected: 2, ended: 2 })
  await expect(kept.do(what, fails('KAFKA_REFUSED'))).rejects.toMatchObject({ code: 'KAFKA_REFUSED' })
  expect(counts).toEqual({ made: 3, connected: 3, ended: 3 })
})
