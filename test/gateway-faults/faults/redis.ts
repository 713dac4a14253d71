import type { Fault } from '../fault.ts'
import type { Asked } from '../load/generator.ts'
import { fromCache } from './asked.ts'

/** Only from the snapshot, and for one of these reasons. */
function fromSnapshot(...reasons: readonly string[]) {
  return ({ status, source, reason }: Asked) =>
    status === 200 && source === 'snapshot' && reasons.includes(reason ?? '')
      ? null
      : `${status} from ${source} for ${reason}`
}

const NOT_ASKED = ['cache_late', 'cache_cut_off', 'cache_unreachable', 'overloaded', 'deadline']

export const redisFaults: readonly Fault[] = [
  {
    name: 'redis-stopped',
    title: 'Redis is killed, and comes back empty; then it is filled again',
    async begin(world) {
      await world.truth.losesAll(() => world.redis.kill())
      return async () => {
        await world.redis.restart()
        await world.refillAll()
      }
    },
    faultOf: fromSnapshot(...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-frozen',
    title: 'Redis stands still with its sockets open (SIGSTOP)',
    async begin({ redis }) {
      redis.freeze()
      return async () => redis.thaw()
    },
    faultOf: fromSnapshot(...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-slow',
    title: 'Redis answers half a second late',
    world: { redisThroughDoor: true },
    async begin({ redisDoor }) {
      redisDoor.delayMs = 500
      return async () => {
        redisDoor.delayMs = 0
      }
    },
    faultOf: fromSnapshot(...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-refuses',
    title: 'Redis answers every read with an error (-MASTERDOWN)',
    async begin({ redis }) {
      const client = redis.newClient()
      await client.config('SET', 'replica-serve-stale-data', 'no')
      await client.replicaof('127.0.0.1', 1)
      return async () => {
        await client.replicaof('NO', 'ONE')
        client.disconnect()
      }
    },
    faultOf: fromSnapshot('cache_refused', ...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-busy',
    title: 'A script without end keeps Redis busy (-BUSY)',
    async begin({ redis }) {
      const [script, client] = [redis.newClient(), redis.newClient()]
      await client.ping()
      const ended = script.eval('while true do end', 0).catch(() => {})
      return async () => {
        await client.script('KILL')
        await ended
        for (const one of [script, client]) one.disconnect()
      }
    },
    faultOf: fromSnapshot('cache_refused', ...NOT_ASKED),
    isWell: fromCache,
  },
  {
    name: 'redis-flushed',
    title: 'Redis is emptied; then it is filled again',
    async begin(world) {
      const client = world.redis.newClient()
      await world.truth.losesAll(() => client.flushall())
      client.disconnect()
      return () => world.refillAll()
    },
    faultOf: (one) =>
      fromCache(one) ? null : fromSnapshot('cache_missing', 'cache_filling', ...NOT_ASKED)(one),
    isWell: fromCache,
  },
]
