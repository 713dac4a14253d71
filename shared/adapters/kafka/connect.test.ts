import { loadSettings } from '@freshet/config/load.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { connectKafka, withAdmin } from './connect.ts'

const { kafka } = loadSettings({ env: {} })
const options = { clientId: 'test', log: quietLog }

test.each([
  [{ user: 'freshet' }, 'kafka.user is set without kafka.password'],
  [{ password: 'secret' }, 'kafka.password is set without kafka.user'],
])('half of what proves who we are is refused, not left out', (half, why) => {
  const connect = () => connectKafka({ ...kafka, ...half }, options)
  expect(connect).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: why }))
})

test('who stops does not wait for a broker that does not answer', async () => {
  const { admin, connection } = hanging()
  const stop = new AbortController()
  const working = withAdmin(connection, { doing: 'looking', signal: stop.signal }, async () => {})
  stop.abort()
  await expect(working).rejects.toMatchObject({ code: 'DEADLINE', message: 'looking: the caller stopped' })
  expect(admin.isGone).toBe(true)
})

test('a broker that has not answered when the time is over is unreachable', async () => {
  const { admin, connection } = hanging()
  const signal = AbortSignal.timeout(10)
  const working = withAdmin(connection, { doing: 'looking', signal }, async () => {})
  await expect(working).rejects.toMatchObject({
    code: 'KAFKA_UNREACHABLE',
    message: 'looking: the time was over before a broker answered',
  })
  expect(admin.isGone).toBe(true)
})

test('who has stopped already opens no client', async () => {
  const { admin, connection } = hanging()
  const working = withAdmin(connection, { doing: 'looking', signal: AbortSignal.abort() }, async () => {})
  await expect(working).rejects.toMatchObject({ code: 'DEADLINE' })
  expect(admin.isOpened).toBe(false)
})

/** A connection whose broker never answers. */
function hanging() {
  const admin = {
    isOpened: false,
    isGone: false,
    connect: () => new Promise(() => {}),
    async disconnect() {
      this.isGone = true
    },
  }
  const newClient = () => {
    admin.isOpened = true
    return { admin: () => admin } as never
  }
  return { admin, connection: { ...connectKafka(kafka, options), newClient } }
}
