import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { settingsSchema } from '@freshet/config/schema.ts'
import { describe, expect, test } from 'vitest'
import { checkCapturable } from './check.ts'
import { connectElasticsearch } from './connect.ts'
import { refusal } from './translate.ts'

/** Answers as Elasticsearch 9.5 does with security on and a wrong password. */
const WRONG_PASSWORD = {
  error: { type: 'security_exception', reason: 'unable to authenticate user [reader] for REST request [/i]' },
  status: 401,
}

describe('an answer of Elasticsearch', () => {
  test('that refuses the password says so, and the password is not in the message', async () => {
    const server = createServer((_, response) => {
      response.writeHead(401, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
      response.end(JSON.stringify(WRONG_PASSWORD))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://reader:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      await using client = connectElasticsearch({ ...settingsSchema.parse({}).elasticsearch, url })
      const failure = await checkCapturable(
        client,
        { index: 'i', mode: 'seqNo', timestampField: undefined },
        AbortSignal.timeout(5_000),
      ).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'ELASTICSEARCH_UNAUTHORIZED', retryable: false })
      expect(String(failure)).not.toContain('hunter2')
    } finally {
      server.close()
    }
  })

  test.each([
    [404, 'index_not_found_exception', 'INDEX_MISSING'],
    [503, 'search_phase_execution_exception', 'SHARD_UNAVAILABLE'],
    [429, 'search_phase_execution_exception', 'SHARD_UNAVAILABLE'],
    [400, 'search_phase_execution_exception', 'ELASTICSEARCH_REFUSED'],
    [400, 'index_closed_exception', 'SHARD_UNAVAILABLE'],
    [404, 'illegal_index_shard_state_exception', 'SHARD_UNAVAILABLE'],
    [404, 'shard_not_found_exception', 'SHARD_UNAVAILABLE'],
    [429, 'circuit_breaking_exception', 'ELASTICSEARCH_UNREACHABLE'],
    [502, '', 'ELASTICSEARCH_UNREACHABLE'],
    [403, 'security_exception', 'ELASTICSEARCH_UNAUTHORIZED'],
    [403, 'cluster_block_exception', 'INDEX_BLOCKED'],
    [400, 'parsing_exception', 'ELASTICSEARCH_REFUSED'],
  ])('%s %s is %s', (status, type, code) => {
    expect(refusal(status, { error: { type, reason: 'because' } }, 'reading')).toMatchObject({ code })
  })

  test('that all shards failed because they still recover passes', () => {
    const root_cause = [{ type: 'illegal_index_shard_state_exception', reason: 'CurrentState[RECOVERING]' }]
    const error = { type: 'search_phase_execution_exception', reason: 'all shards failed', root_cause }
    expect(refusal(404, { error }, 'reading')).toMatchObject({ code: 'SHARD_UNAVAILABLE', retryable: true })
  })
})
