/**
 * What the gateway is measured against: node:http, and behind it what the request needs and no more. Tells its port to
 * its parent. Arguments: `redis <url> <key prefix>`, `constant <JSON>`, `predict <model folder>` or
 * `rank <model folder> <URL of a search>`.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { type BareDocument, openBareModel } from '../bare-model.ts'

const PATH = '/v1/scores/'

function fromRedis(url: string, keyPrefix: string): RequestListener {
  const redis = new Redis(url)
  return async (request, response) => {
    const text = await redis.get(`${keyPrefix}${decodeURIComponent(request.url!.slice(PATH.length))}`)
    response.statusCode = text === null ? 404 : 200
    answer(response, text === null ? '{}' : text.slice(text.indexOf('{')))
  }
}

function constant(json: string): RequestListener {
  return (_request, response) => answer(response, json)
}

async function predicting(folder: string): Promise<RequestListener> {
  const scoresOf = await openBareModel(folder)
  return async (request, response) => {
    const { document } = await bodyOf<{ document: BareDocument }>(request)
    const [score] = await scoresOf([document])
    answer(response, JSON.stringify({ score, source: 'live' }))
  }
}

interface Pool {
  readonly hits: { readonly hits: readonly { readonly _id: string; readonly _source: BareDocument }[] }
}

const BEST = 10

async function ranking(folder: string, url: string): Promise<RequestListener> {
  const scoresOf = await openBareModel(folder)
  const headers = { 'content-type': 'application/json' }
  return async (request, response) => {
    const { parameters } = await bodyOf<{ parameters: { origin: string } }>(request)
    const query = { bool: { filter: [{ term: { 'origin.keyword': parameters.origin } }] } }
    const found = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
    const { hits } = ((await found.json()) as Pool).hits
    const scores = await scoresOf(hits.map(({ _source }) => _source))
    const items = hits.map(({ _id }, row) => ({ id: _id, score: scores[row]! }))
    answer(
      response,
      JSON.stringify({ items: items.toSorted((a, b) => b.score - a.score).slice(0, BEST), degraded: false }),
    )
  }
}

async function bodyOf<T>(request: IncomingMessage): Promise<T> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

function answer(response: ServerResponse, json: string): void {
  response.setHeader('content-type', 'application/json')
  response.setHeader('content-length', Buffer.byteLength(json))
  response.end(json)
}

const MODES: Readonly<Record<string, (...args: string[]) => RequestListener | Promise<RequestListener>>> = {
  redis: fromRedis,
  constant,
  predict: predicting,
  rank: ranking,
}

const [mode, ...rest] = process.argv.slice(2)
const server = createServer(await MODES[mode!]!(...rest))
server.listen({ host: '127.0.0.1', port: 0 }, () => process.send?.((server.address() as AddressInfo).port))
process.once('disconnect', () => process.exit())
