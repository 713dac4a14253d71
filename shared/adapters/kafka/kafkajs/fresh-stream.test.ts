import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { guardStreams } from './fresh-stream.ts'

const require = createRequire(import.meta.url)
const Connection = require('kafkajs/src/network/connection.js')
const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} }

test('an answer that was cut off is forgotten when the connection is made again', async () => {
  await using broker = await startBroker()
  const { connection, answers } = broker.newConnection()
  await connection.connect()
  const first = await broker.accepted()
  first.write(answerOf('whole').subarray(0, 6), () => first.destroy())
  await expect.poll(() => connection.isConnected()).toBe(false)
  await connection.connect()
  ;(await broker.accepted()).write(answerOf('after'))

  await expect.poll(() => answers).toEqual(['after'])
})

test('what the socket before says late is not taken for an answer of the new one', async () => {
  await using broker = await startBroker()
  const { connection, answers } = broker.newConnection()
  await connection.connect()
  const first = await broker.accepted()
  await connection.disconnect()
  await connection.connect()
  const second = await broker.accepted()
  const isRefused = () => {
    first.write(answerOf('late').subarray(0, 6))
    return first.destroyed
  }
  await expect.poll(isRefused).toBe(true)
  second.write(answerOf('after'))

  await expect.poll(() => answers).toEqual(['after'])
})

test('what can be no answer ends the connection, and nothing else', async () => {
  await using broker = await startBroker()
  const { connection, answers } = broker.newConnection()
  await connection.connect()
  ;(await broker.accepted()).write(Buffer.alloc(8))
  await expect.poll(() => connection.isConnected()).toBe(false)
  expect(answers).toEqual([])
})

async function startBroker() {
  const waiting: Socket[] = []
  const all = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).resume()
    waiting.push(socket)
    all.add(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    /** Guarded; `answers` are the texts that come out of it. */
    newConnection() {
      guardStreams()
      const connection = new Connection({
        ...{ host: '127.0.0.1', port, logger, connectionTimeout: 5_000, requestTimeout: 5_000 },
        socketFactory: ({ onConnect }: { onConnect: () => void }) => connect(port, '127.0.0.1', onConnect),
      })
      const answers: string[] = []
      connection.requestQueue.fulfillRequest = ({ payload }: { payload: Buffer }) =>
        answers.push(`${payload}`)
      return { connection, answers }
    },
    async accepted(): Promise<Socket> {
      await expect.poll(() => waiting.length).toBeGreaterThan(0)
      return waiting.shift()!
    },
    async [Symbol.asyncDispose]() {
      for (const socket of all) socket.destroy()
      server.close()
    },
  }
}

/** Its length, a correlation id, and the text. */
function answerOf(text: string): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + text.length, 0)
  return Buffer.concat([head, Buffer.from(text)])
}
