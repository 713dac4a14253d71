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
      Kafka: startedVersion(servers, 'kafka', /kafka_2\.1\d-([\d.]+\d)/) ?? UNTOLD,
      // One without a handler for `/` does not tell.
      Elasticsearch:
        (await told(elasticsearchVersion)) ??
        startedVersion(servers, 'elasticsearch', /elasticsearch-([\d.]+\d)/) ??
        UNTOLD,
      Redis: (await told(redisVersion)) ?? UNTOLD,
      S3: startedVersion(servers, 's3', /s3mock[\w-]*-([\d.]+\d)/) ?? UNTOLD,
    },
  }
}

const ASK_MS = 5_000
const UNTOLD = 'version not told'

async function told(ask: () => Promise<string>): Promise<string | undefined> {
  try {
    return await ask()
  } catch {
    return undefined // a server without that question, or behind a password: no reason to lose the figures
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

/** From the command line of a process that we started. */
function startedVersion({ processes }: TestServers, server: string, version: RegExp): string | undefined {
  const process = processes.find((one) => one.name === server)
  return process && version.exec(readFileSync(`/proc/${process.pid}/cmdline`, 'utf8'))?.[1]
}
