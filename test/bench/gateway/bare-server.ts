/**
 * What the gateway is measured against: node:http, and behind it a GET of Redis or nothing at all. Tells its port to its
 * parent. Arguments: `redis <url> <key prefix>` or `constant <JSON>`.
 */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'

const PATH = '/v1/scores/'

function fromRedis(url: string, keyPrefix: string): RequestListener {
  const redis = new Redis(url)
  return async (request, response) => {
    const text = await redis.get(`${keyPrefix}${decodeURIComponent(request.url!.slice(PATH.length))}`)
    response.statusCode = text === null ? 404 : 200
    response.setHeader('content-type', 'application/json')
    response.end(text === null ? '{}' : text.slice(text.indexOf('{')))
  }
}

function constant(json: string): RequestListener {
  return (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(json)
  }
}

const [mode, ...rest] = process.argv.slice(2) as [string, string, string]
const server = createServer(mode === 'redis' ? fromRedis(...rest) : constant(rest[0]))
server.listen({ host: '127.0.0.1', port: 0 }, () => process.send?.((server.address() as AddressInfo).port))
process.once('disconnect', () => process.exit())
