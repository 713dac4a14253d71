import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Settings } from '@freshet/config/schema.ts'
import { gateway, stored } from '../../app.kit.ts'
import { plainRoutesOf } from '../../app.ts'
import type { AppParts } from '../../app-parts.ts'
import type { Serve } from '../../routes/serve.ts'
import { appListener } from '../app-listener.ts'
import { HttpServer } from '../http-server.ts'
import { RequestsInHand } from '../requests-in-hand.ts'
import type { PlainParts } from './plain-connection.ts'
import { PlainConnections } from './plain-connections.ts'

export const KEY = 'sesame'

interface Options {
  readonly admit?: PlainParts['intake']['admit']
  /** How a prediction of one document ends. */
  readonly live?: AppParts['live']['score']
}

/** A gateway of which one key is known, `x` is in no key that has a score, and how many requests were plain. */
function countedGateway({ admit = () => performance.now(), live }: Options = {}) {
  const { app, parts } = gateway({
    key: KEY,
    cache: (key: string) => (key.includes('x') ? NOTHING : { ...FOUND, score: { ...stored, key } }),
  })
  const routes = plainRoutesOf({
    ...parts,
    live: live === undefined ? parts.live : { ...parts.live, score: live },
  })
  let plain = 0
  const counted = (serve: Serve): Serve => {
    return (...request) => {
      plain++
      return serve(...request)
    }
  }
  const { lookup, lookupByQuery, predict } = routes
  const all = { lookup: counted(lookup), lookupByQuery: counted(lookupByQuery), predict: counted(predict) }
  return { app, plain: () => plain, plainParts: { routes: all, intake: { admit } } }
}

/** The same gateway twice: with a short way for plain requests, and without. */
export async function twoWays(options: Options & { readonly tls?: Settings['gateway']['tls'] } = {}) {
  const { app, plain, plainParts } = countedGateway(options)
  const inHand = new RequestsInHand()
  const address = { host: '127.0.0.1', port: 0, tls: options.tls ?? {} }
  const both = await HttpServer.listen(appListener(app), address, { inHand, plain: plainParts })
  const alone = await HttpServer.listen(appListener(app), address)
  return {
    both,
    alone,
    inHand,
    plain,
    async [Symbol.asyncDispose]() {
      await Promise.all([both[Symbol.asyncDispose](), alone[Symbol.asyncDispose]()])
    },
  }
}

/** The short way before a server of node:http, with times of the test's. */
export async function plainServer(
  times: Partial<ConstructorParameters<typeof PlainConnections>[2]['times']>,
) {
  const { app, plain, plainParts } = countedGateway()
  const server = createServer(appListener(app))
  const connections = new PlainConnections(server, 'connection', {
    parts: plainParts,
    inHand: new RequestsInHand(),
    times: {
      ...{ headersTimeout: 10_000, keepAliveTimeout: 10_000, connectionsCheckingInterval: 10_000 },
      ...{ restWithinMs: 10_000, ...times },
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plain,
    async [Symbol.asyncDispose]() {
      connections[Symbol.dispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const GO_ON = 'HTTP/1.1 100 Continue\r\n\r\n'
const NOTHING = { kind: 'has nothing' } as const
const FOUND = { kind: 'has' } as const

/** What comes back on a connection that is kept, word for word but for what differs from one moment to the next. */
export async function say(server: Pick<HttpServer, 'url'>, request: string): Promise<string> {
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

function connectTo(server: Pick<HttpServer, 'url'>): Socket {
  return connect(Number(new URL(server.url).port), '127.0.0.1')
}

/** A connection, and all that has been said on it. */
export async function dial(server: Pick<HttpServer, 'url'>) {
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
