import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Settings } from '@freshet/config/schema.ts'
import { expect, vi } from 'vitest'
import { gateway, stored } from '../../app.kit.ts'
import { createApp, plainRoutesOf } from '../../app.ts'
import type { AppParts } from '../../app-parts.ts'
import { prometheusText } from '../../metrics/prometheus-text.ts'
import type { Serve } from '../../routes/serve.ts'
import { appListener } from '../app-listener.ts'
import { HttpServer } from '../http-server.ts'
import { Intake } from '../intake.ts'
import { LoopWatch } from '../loop-watch.ts'
import { RequestsInHand } from '../requests-in-hand.ts'
import { PlainConnections } from './plain-connections.ts'

export const KEY = 'sesame'

interface Options {
  /** How a prediction of one document ends. */
  readonly live?: AppParts['live']['score']
  readonly ladder?: AppParts['ladder']
  /** Whether only who has a key is let in: the one of this file. */
  readonly hasKey?: boolean
  /** Of that key. */
  readonly requestsPerSecond?: number
  /** Requests that are in hand beside those of the test. */
  readonly othersInHand?: number
}

/** A gateway behind its door, in which `x` is in no key that has a score; what it has told; and how many requests were plain. */
function world({ live, ladder, hasKey = true, requestsPerSecond, othersInHand = 0 }: Options) {
  const it = gateway({
    ...(hasKey && { key: KEY }),
    ...(requestsPerSecond !== undefined && { requestsPerSecond }),
    cache: (key: string) => (key.includes('x') ? NOTHING : { ...FOUND, score: { ...stored, key } }),
    ...{ share: 1, linesPerSecond: 1_000, spansPerSecond: 1_000_000 },
  })
  const parts = {
    ...it.parts,
    ladder: ladder ?? it.parts.ladder,
    live: live === undefined ? it.parts.live : { ...it.parts.live, score: live },
  }
  const loop = new LoopWatch()
  const inHand = new RequestsInHand()
  const intake = new Intake({
    loop,
    inHand: {
      get count() {
        return othersInHand + inHand.count
      },
    },
    work: parts.work,
    deadlineMs: parts.limits.deadlineMs,
    onRefused: (request) => parts.record.refused(request),
  })
  let plain = 0
  const counted = (serve: Serve): Serve => {
    return (...request) => {
      plain++
      return serve(...request)
    }
  }
  const { lookup, lookupByQuery, predict } = plainRoutesOf(parts)
  const routes = { lookup: counted(lookup), lookupByQuery: counted(lookupByQuery), predict: counted(predict) }
  return {
    listener: intake.admitting(appListener(createApp(parts))),
    inHand,
    plainParts: { routes, intake },
    plain: () => plain,
    /** What operators are told: all metrics, and the spans and lines since it was last asked. */
    told: () => ({
      metrics: it.metrics.values(),
      durations: prometheusText(parts.record.durations.families()),
      spans: it.spans.splice(0),
      lines: it.said.splice(0),
    }),
    [Symbol.dispose]: () => loop[Symbol.dispose](),
  }
}

/** The same gateway twice: with a short way for plain requests, and without. */
export async function twoWays({ tls = {}, ...options }: Options & { tls?: Settings['gateway']['tls'] } = {}) {
  const [short, long] = [world(options), world(options)]
  const address = { host: '127.0.0.1', port: 0, tls }
  const { inHand, plain, plainParts } = short
  const both = await HttpServer.listen(short.listener, address, { inHand, plain: plainParts })
  const alone = await HttpServer.listen(long.listener, address, { inHand: long.inHand })
  return {
    both,
    alone,
    inHand,
    plain,
    /** Both ways: where to ask, and what is in hand there. */
    each: [
      { name: 'plain', server: both, inHand },
      { name: 'node:http', server: alone, inHand: long.inHand },
    ],
    /** Asks both ways. @returns what either answers its caller, and tells operators */
    async alike(asked: string): Promise<{ answer: string } & ReturnType<typeof short.told>> {
      const answer = await say(both, asked)
      expect(answer).toBe(await say(alone, asked))
      const told = short.told()
      expect(told).toEqual(long.told())
      return { answer, ...told }
    },
    async [Symbol.asyncDispose]() {
      vi.useRealTimers() // a server that stops waits for some time
      await Promise.all([both[Symbol.asyncDispose](), alone[Symbol.asyncDispose]()])
      short[Symbol.dispose]()
      long[Symbol.dispose]()
    },
  }
}

/** The short way before a server of node:http, with times of the test's. */
export async function plainServer(
  times: Partial<ConstructorParameters<typeof PlainConnections>[2]['times']>,
) {
  const { listener, inHand, plain, plainParts, ...opened } = world({})
  const server = createServer(listener)
  const accepted: Socket[] = []
  let handedOver = 0
  server.on('connection', () => handedOver++) // node:http's is given a connection, and so is this
  const connections = new PlainConnections(server, 'connection', {
    parts: plainParts,
    inHand,
    times: {
      ...{ headersTimeout: 10_000, keepAliveTimeout: 10_000, connectionsCheckingInterval: 10_000 },
      ...{ restWithinMs: 10_000, ...times },
    },
  })
  server.on('connection', (socket) => accepted.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plain,
    /** Connections that were given to node:http. */
    handedOver: () => handedOver,
    /** Of all connections. */
    bytesRead: () => accepted.reduce((bytes, socket) => bytes + socket.bytesRead, 0),
    async [Symbol.asyncDispose]() {
      connections[Symbol.dispose]()
      opened[Symbol.dispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const GO_ON = 'HTTP/1.1 100 Continue\r\n\r\n'
const NOTHING = { kind: 'has nothing' } as const
const FOUND = { kind: 'has' } as const

/** What comes back on a connection that is kept, word for word: of its date only that there is one. */
export async function say(server: Pick<HttpServer, 'url'>, request: string): Promise<string> {
  const socket = connectTo(server)
  socket.write(request, 'latin1')
  let answer = ''
  for await (const piece of socket.setEncoding('utf8')) {
    answer += String(piece)
    if (isWhole(answer, request.startsWith('HEAD'))) break
  }
  const [head, body = ''] = answer.replace(GO_ON, '').split('\r\n\r\n')
  const lines = head!
    .split('\r\n')
    .map((line) => line.replace(/^[\w-]+(?=: )/, (name) => name.toLowerCase()).replace(/^date: .*/, 'date'))
  return [...lines.toSorted(), body].join('\n')
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

/** Turns of the loop, until it is so. `expect.poll` would let a clock go on that the test holds. */
export async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (const beganAt = process.hrtime.bigint(); !isSo(); ) {
    if (process.hrtime.bigint() - beganAt > PATIENCE_NS) throw new Error(`never was ${isSo.toString()}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
const PATIENCE_NS = 20_000_000_000n

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
