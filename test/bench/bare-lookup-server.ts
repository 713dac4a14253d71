/** The baseline of gateway-lookups: a GET of Redis behind node:http, and nothing else. Tells its port to its parent. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'

const [url, keyPrefix] = process.argv.slice(2) as [string, string]
const PATH = '/v1/scores/'

const redis = new Redis(url)
const server = createServer(async (request, response) => {
  const text = await redis.get(`${keyPrefix}${decodeURIComponent(request.url!.slice(PATH.length))}`)
  response.statusCode = text === null ? 404 : 200
  response.setHeader('content-type', 'application/json')
  response.end(text === null ? '{}' : text.slice(text.indexOf('{')))
})
server.listen({ host: '127.0.0.1', port: 0 }, () => process.send?.((server.address() as AddressInfo).port))
process.once('disconnect', () => process.exit())
