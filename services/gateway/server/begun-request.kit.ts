import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'vitest'

const BODY = JSON.stringify({ keys: ['a'] })

/** A request for many scores whose body comes when the test says so. It is in hand: the gateway has asked for its body. */
export async function begunRequest(port: number): Promise<{ finish(): Promise<string> }> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  const headers = `content-type: application/json\r\ncontent-length: ${BODY.length}\r\nexpect: 100-continue`
  socket.write(`POST /v1/scores HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n${headers}\r\n\r\n`)
  let text = String(await once(socket, 'data'))
  expect(text).toMatch(/^HTTP\/1\.1 100 /)
  socket.on('data', (more) => (text += more))
  const finish = async () => {
    socket.write(BODY)
    await once(socket, 'close')
    return text
  }
  return { finish }
}
