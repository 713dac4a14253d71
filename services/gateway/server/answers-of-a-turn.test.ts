import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { HttpServer } from './http-server.ts'

const GET = 'GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'

/**
 * What is ended of all that was answered before, as each answer is made; in one turn, since all requests come in one packet.
 * @param everyMs what each answer takes, of a clock that does nothing else.
 */
async function answersOf(requests: number, everyMs = 0) {
  let nowMs = 1_000
  const now = vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  onTestFinished(() => now.mockRestore())
  const answers: ServerResponse[] = []
  const endedBefore: number[] = []
  const all = Promise.withResolvers<void>()
  await using server = await HttpServer.listen(
    (_, response) => {
      endedBefore.push(answers.filter(({ writableEnded }) => writableEnded).length)
      answers.push(response)
      response.end('answered')
      nowMs += everyMs
      if (answers.length === requests) all.resolve()
    },
    { host: '127.0.0.1', port: 0 },
  )
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  socket.write(GET.repeat(requests))
  await all.promise
  await nextTurn()
  return { endedBefore, ended: answers.filter(({ writableEnded }) => writableEnded).length }
}

test('answers go out when the turn that made them is over', async () => {
  expect(await answersOf(5)).toEqual({ endedBefore: [0, 0, 0, 0, 0], ended: 5 })
})

test('answers that take long to make wait for the next one at most', async () => {
  expect(await answersOf(5, 0.6)).toEqual({ endedBefore: [0, 0, 0, 3, 3], ended: 5 })
  expect(await answersOf(4, 2)).toEqual({ endedBefore: [0, 0, 2, 2], ended: 4 })
})

test('an answer that is held is out before its connection is closed', async () => {
  await using server = await HttpServer.listen((_, response) => void response.end('answered').destroy(), {
    host: '127.0.0.1',
    port: 0,
  })
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('latin1')
  let received = ''
  socket.on('data', (text: unknown) => (received += String(text)))
  socket.write(GET)
  await once(socket, 'close')
  expect(received).toContain('answered')
})

test('of many in one turn, none waits for more than 31 others', async () => {
  const { endedBefore, ended } = await answersOf(60)
  expect(endedBefore).toEqual(Array.from({ length: 60 }, (_, at) => (at < 32 ? 0 : 32)))
  expect(ended).toBe(60)
})
