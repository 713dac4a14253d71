import { Buffer } from 'node:buffer'
import { rowsOf } from '@freshet/ports/score-store.contract.ts'
import { keyAt } from '@freshet/records/score-batch.ts'
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
  score: fc.double({ noNaN: true, noDefaultInfinity: true }),
})

test('a call has the very bytes that ioredis gives it, with the hash of the script and with its text', () => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 200 }),
      fc.boolean(),
      fc.boolean(),
      (some, cluster, knowsScript) => {
        const rows = rowsOf(some)
        const settings = { url: '', cluster, ttlSeconds: 600, tombstoneTtlSeconds: 3_600 }
        const commands = new GuardCommands(rows, 'flüge')
        for (const call of rowsToCalls(rows, settings)) {
          const into = Buffer.alloc(commands.maxBytes(call))
          const ours = commands.write(call, into, knowsScript)
          const [name, script] = knowsScript ? ['evalsha', RANK_GUARD.sha1] : ['eval', RANK_GUARD.lua]
          const keys = call.rows.map((at) => redisKey('flüge', keyAt(rows, at).toString(), cluster))
          const values = call.rows.map((at) => encodeStoredScore(storedScoreOf(rows, at)))
          const theirs = new Command(name, [script, `${keys.length}`, ...keys, '600', ...values])
          expect(ours.toWritable({}).toString()).toBe(theirs.toWritable({}))
          if (cluster) expect(ours.getSlot()).toBe(theirs.getSlot())
        }
      },
    ),
  )
})
