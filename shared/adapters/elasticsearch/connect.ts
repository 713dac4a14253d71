import { readFileSync } from 'node:fs'
import { Client, Transport } from '@elastic/elasticsearch'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'

/** A client that tries once: who calls decides on retries, and on what may be repeated. */
export function connectElasticsearch(settings: Settings['elasticsearch']): Client & AsyncDisposable {
  const options: ConstructorParameters<typeof Client>[0] = {
    node: settings.url,
    maxRetries: 0,
    requestTimeout: settings.requestTimeoutMs,
    compression: false,
    Transport: PlainJsonTransport,
  }
  if (settings.apiKey !== undefined) options.auth = { apiKey: settings.apiKey }
  if (settings.caFile !== undefined) options.tls = { ca: readCertificate(settings.caFile) }
  const client = new Client(options)
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

/** Speaks plain JSON: the client's own media type names version 9, and servers before that refuse it by name. */
class PlainJsonTransport extends Transport {
  constructor(options: ConstructorParameters<typeof Transport>[0]) {
    super({ ...options, vendoredHeaders: {} })
  }
}

export function readCertificate(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new FreshetError('CONFIG_INVALID', `elasticsearch.caFile: ${(cause as Error).message}`, { cause })
  }
}
