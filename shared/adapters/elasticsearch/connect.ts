import { readFileSync } from 'node:fs'
import { Client } from '@elastic/elasticsearch'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'

/** A client that tries once: who calls decides on retries, and on what may be repeated. */
export function connectElasticsearch(settings: Settings['elasticsearch']): Client & AsyncDisposable {
  const options: ConstructorParameters<typeof Client>[0] = {
    node: settings.url,
    maxRetries: 0,
    requestTimeout: settings.requestTimeoutMs,
    compression: false,
  }
  if (settings.apiKey !== undefined) options.auth = { apiKey: settings.apiKey }
  if (settings.caFile !== undefined) options.tls = { ca: readCertificate(settings.caFile) }
  const client = new Client(options)
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

function readCertificate(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new FreshetError('CONFIG_INVALID', `elasticsearch.caFile: ${(cause as Error).message}`, { cause })
  }
}
