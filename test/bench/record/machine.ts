/** What the figures of a run depend on. */
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { describeHost, type Host } from '../../host.ts'
import type { TestServers } from '../../start-servers.ts'

export interface Machine extends Host {
  readonly servers: Readonly<Record<string, string>>
}

/** Once they answer. What does not tell its version is told as such. */
export async function askMachine(servers: TestServers): Promise<Machine> {
  return {
    ...describeHost(),
    servers: {
      Kafka: jarVersion(servers, 'kafka', /kafka_2\.1\d-([\d.]+\d)\.jar/),
      Elasticsearch: await told(elasticsearchVersion),
      Redis: await told(redisVersion),
      S3: jarVersion(servers, 's3', /s3mock[\w-]*-([\d.]+\d)/),
    },
  }
}

const ASK_MS = 5_000
const UNTOLD = 'version not told'

async function told(ask: () => Promise<string>): Promise<string> {
  try {
    return await ask()
  } catch {
    return UNTOLD // a server without that question, or behind a password: no reason to lose the figures
  }
}

async function elasticsearchVersion(): Promise<string> {
  const response = await fetch(process.env.FRESHET_ELASTICSEARCH_URL!, {
    signal: AbortSignal.timeout(ASK_MS),
  })
  return ((await response.json()) as { version: { number: string } }).version.number
}

async function redisVersion(): Promise<string> {
  const redis = new Redis(process.env.FRESHET_REDIS_URL!, { connectTimeout: ASK_MS, commandTimeout: ASK_MS })
  redis.on('error', () => {}) // the command says it too
  try {
    return /^redis_version:(\S+)/m.exec(await redis.info('server'))![1]!
  } finally {
    redis.disconnect()
  }
}

/** They do not tell it over their protocols; the command line of a process that we started does. */
function jarVersion({ processes }: TestServers, server: string, jar: RegExp): string {
  const process = processes.find((one) => one.name === server)
  if (process === undefined) return UNTOLD
  return jar.exec(readFileSync(`/proc/${process.pid}/cmdline`, 'utf8'))?.[1] ?? UNTOLD
}
