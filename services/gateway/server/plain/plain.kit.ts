import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { gateway, stored } from '../../app.kit.ts'
import { predictRoute } from '../../routes/predict.ts'
import { scoreRoutes } from '../../routes/scores.ts'
import { type Serve, serve } from '../../routes/serve.ts'
import { appListener } from '../app-listener.ts'
import { HttpServer } from '../http-server.ts'
import { RequestsInHand } from '../requests-in-hand.ts'
import type { PlainParts } from './plain-connection.ts'

export const KEY = 'sesame'

/** The same gateway twice: with a short way for plain requests, and without; and how many were plain. */
export async function twoWays({
  admit = () => performance.now(),
}: {
  admit?: PlainParts['intake']['admit']
} = {}) {
  const world = {
    key: KEY,
    cache: (key: string) => (key.includes('x') ? NOTHING : { ...FOUND, score: { ...stored, key } }),
  }
  const { app, parts } = gateway(world)
  const [lookup] = scoreRoutes(parts)
  let plain = 0
  const counted = (answer: Serve): Serve => {
    return (...request) => {
      plain++
      return answer(...request)
    }
  }
  const routes = {
    lookup: counted(serve(lookup, parts)),
    predict: counted(serve(predictRoute(parts), parts)),
  }
  const inHand = new RequestsInHand()
  const address = { host: '127.0.0.1', port: 0 }
  const both = await HttpServer.listen(appListener(app), address, {
    inHand,
    plain: { routes, intake: { admit }, inHand },
  })
  const alone = await HttpServer.listen(appListener(app), address)
  return {
    both,
    alone,
    inHand,
    plain: () => plain,
    async [Symbol.asyncDispose]() {
      await Promise.all([both[Symbol.asyncDispose](), alone[Symbol.asyncDispose]()])
    },
  }
}

const GO_ON = 'HTTP/1.1 100 Continue\r\n\r\n'
const NOTHING = { kind: 'has nothing' } as const
const FOUND = { kind: 'has' } as const

/** What comes back on a connection that is kept, word for word but for what differs from one moment to the next. */
export async function say(server: HttpServer, request: string): Promise<string> {
  const socket = connectTo(server)
  socket.write(request, 'latin1')
  let answer = ''
  for await (const piece of socket.setEncoding('utf8')) {
    answer += String(piece)
    if (isWhole(answer, request.startsWith('HEAD'))) break
  }
  const [head, body = ''] = answer.replace(GO_ON, '').split('\r\n\r\n')
  const lines = head!.split('\r\n').filter((line) => !/^(date|server-timing|age):/i.test(line))
  const lower = lines.map((line) => line.replace(/^[\w-]+(?=: )/, (name) => name.toLowerCase()))
  const said = body.replace(/"age_ms":\d+/, '').replace(/(?<="source":"live".*)"as_of":"[^"]+"/, '')
  return [...lower.toSorted(), said].join('\n')
}

function connectTo(server: HttpServer): Socket {
  return connect(Number(new URL(server.url).port), '127.0.0.1')
}

/** A connection, and all that has been said on it. */
export async function dial(server: HttpServer) {
  const socket = connectTo(server).setEncoding('utf8')
  let received = ''
  socket.on('data', (text: unknown) => {
    received += String(text)
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return { socket, received: () => received, closed: once(socket, 'close') }
}

export const statusesIn = (text: string) => text.match(/(?<=HTTP\/1\.1 )\d+/g) ?? []

/** Whether the last answer in it is. */
function isWhole(answers: string, isOfHead = false): boolean {
  const answer = answers.slice(answers.lastIndexOf('HTTP/1.1 '))
  const [head, body] = answer.split('\r\n\r\n')
  if (body === undefined || head!.startsWith('HTTP/1.1 100')) return false
  const length = /^content-length: (\d+)$/im.exec(head!)?.[1] ?? 'none'
  return isOfHead || Buffer.byteLength(body) === Number(length)
}

export function request(path: string, headers: readonly string[] = []): string {
  return `${[`GET ${path} HTTP/1.1`, 'host: 127.0.0.1:8080', ...headers].join('\r\n')}\r\n\r\n`
}

export const withKey = [`x-api-key: ${KEY}`]
export const asJson = [...withKey, 'content-type: application/json']

export function prediction(body: string, headers: readonly string[] = asJson, path = '/v1/predict'): string {
  const length = `content-length: ${Buffer.byteLength(body)}`
  return `${request(path, [...headers, length]).replace('GET', 'POST')}${body}`
}
