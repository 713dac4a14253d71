import { Buffer } from 'node:buffer'
import { rowsOf } from '@freshet/ports/score-store.contract.ts'
import { keyAt } from '@freshet/records/score-batch.ts'
import { pageOf, scoreBatches } from '@freshet/records/score-batches.kit.ts'
import { encodeStoredScore, storedScoreOf } from '@freshet/records/stored-score.ts'
import fc from 'fast-check'
import { Command } from 'ioredis'
import { expect, test } from 'vitest'
import { GuardCommands } from './guard-command.ts'
import { RANK_GUARD } from './rank-guard.ts'
import { redisKey } from './redis-key.ts'
import { rowsToCalls } from './rows-to-calls.ts'

const row = fc.record({
  key: fc.string({ unit: 'grapheme', maxLength: 200 }),
  seqNo: fc.maxSafeNat(),
  score: fc.double(),
})
/** Of several models, deletes among them; or so many that a call is full. */
const pages = fc.oneof(scoreBatches.map(pageOf), fc.array(row, { maxLength: 200 }).map(rowsOf))
const pipelines = fc.constantFrom('flights', 'flüge', '日'.repeat(128))
const BEHIND = '?'.repeat(16)

test('a call has the very bytes that ioredis gives it, with the hash of the script and with its text', () => {
  fc.assert(
    fc.property(pages, pipelines, fc.boolean(), fc.boolean(), (rows, pipeline, cluster, knowsScript) => {
      const settings = { url: '', cluster, ttlSeconds: 600, tombstoneTtlSeconds: 1_209_600 }
      const commands = new GuardCommands(rows, pipeline)
      for (const call of rowsToCalls(rows, settings)) {
        const maxBytes = commands.maxBytes(call)
        const into = Buffer.alloc(maxBytes + BEHIND.length, '?')
        const ours = commands.write(call, into, knowsScript)
        const [name, script] = knowsScript ? ['evalsha', RANK_GUARD.sha1] : ['eval', RANK_GUARD.lua]
        const keys = call.rows.map((at) => redisKey(pipeline, keyAt(rows, at).toString(), cluster))
        const values = call.rows.map((at) => encodeStoredScore(storedScoreOf(rows, at)))
        const ttl = `${call.ttlSeconds}`
        const theirs = new Command(name, [script, `${keys.length}`, ...keys, ttl, ...values])
        expect(ours.toWritable({}).toString()).toBe(theirs.toWritable({}))
        expect(into.toString('latin1', maxBytes)).toBe(BEHIND)
        if (cluster) expect(ours.getSlot()).toBe(theirs.getSlot())
      }
    }),
    { numRuns: 200 },
  )
})
