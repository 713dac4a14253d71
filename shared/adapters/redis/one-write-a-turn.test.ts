import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { OneWriteATurn } from './one-write-a-turn.ts'

test('what is written in one turn goes out together behind it, in order, and the next turn writes again', async () => {
  await using opened = new AsyncDisposableStack()
  const server = createServer().listen(0, '127.0.0.1')
  opened.defer(() => void server.close())
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  opened.defer(() => void socket.destroy())
  const [[peer]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')])
  opened.defer(() => peer.destroy())
  const writes = new OneWriteATurn()
  for (const round of ['a', 'b']) {
    const before = socket.bytesWritten
    for (const part of ['1', '2', '3']) {
      writes.gather(socket)
      socket.write(round + part)
    }
    expect(socket.writableCorked).toBe(1)
    expect(socket.bytesWritten - before).toBe(6) // counts what waits too
    await turn()
    expect(socket.writableCorked).toBe(0)
  }
  let heard = ''
  while (heard.length < 12) heard += String((await once(peer, 'data'))[0])
  expect(heard).toBe('a1a2a3b1b2b3')
})
