import { elasticsearch } from './elasticsearch.ts'
import { kafka } from './kafka.ts'
import { redis } from './redis.ts'
import { S3_ACCESS, s3 } from './s3.ts'
import type { Server } from './server.ts'
import type { ServerName, ServerProcess, Services } from './services-file.ts'

export const SERVERS: readonly Server[] = [kafka, elasticsearch, redis, s3]

export function describeServices(mode: Services['mode'], processes: readonly ServerProcess[]): Services {
  const at = (name: ServerName) => `127.0.0.1:${processes.find((process) => process.name === name)!.port}`
  return {
    version: 1,
    mode,
    startedAtMs: Date.now(),
    kafka: { brokers: [at('kafka')] },
    elasticsearch: { url: `http://${at('elasticsearch')}` },
    redis: { url: `redis://${at('redis')}` },
    s3: { endpoint: `http://${at('s3')}`, ...S3_ACCESS },
    processes,
  }
}
