import { createHash, randomUUID } from 'node:crypto'
import { FreshetError } from '@freshet/errors/errors.ts'
import { Cluster } from 'ioredis'
import { assertConnected, mastersOf, type RedisClient } from './connect.ts'
import { toRedisError } from './redis-error.ts'
import { markKeys } from './redis-key.ts'

/** What stood at the begin of a filling: when it stands no more at the end, Redis may have lost some of it. */
export interface Filling {
  /** One for each mark. */
  readonly ids: readonly string[]
  /** Which processes hold the data. */
  readonly servers: string
  /** All scores up to here are there, so only what comes after is to be brought; null where nothing says so. */
  readonly heldTo: Positions | null
}

/** Offsets in `.scores` by partition, each the first that is not in Redis for certain. */
export type Positions = ReadonlyMap<number, number>

/** How long a claim outlives a claimant that says no more. */
const CLAIM_MS = 15_000

/** Only over the mark that stood at the begin: where it is gone, so is what was written since. */
const CONFIRM = `
if string.match(redis.call('GET', KEYS[1]) or '', '^%a+ (%S+)') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], 'filled ' .. ARGV[1] .. ' ' .. ARGV[2])
return 1`

/**
 * Only where the mark is of the servers that ran before the positions were read, and this is one of them: one that took
 * over meanwhile may lack what they cover.
 */
const ADVANCE = `
local id, servers = string.match(redis.call('GET', KEYS[1]) or '', '^filled (%S+) (%S+)')
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
if servers ~= ARGV[1] or not string.find(ARGV[2], run, 1, true) then return 0 end
redis.call('SET', KEYS[1], 'filled ' .. id .. ' ' .. servers .. ' ' .. ARGV[3])
return 1`

/**
 * The mark in Redis that says: all scores are here. A Redis that was flushed, or came back without its data, has no mark.
 * One that came back with data of some minutes ago, or a replica that took over, has the mark of another process; the
 * `run_id` of the servers stands in it. A key `<pipeline>:filled` holds `filling <id>` or
 * `filled <id> <servers> <positions>`; in a cluster there is one for each stretch of slots, so that every master has some.
 *
 * What a server keeps over a restart, and what a replica has, is all that was written up to some moment and nothing of
 * what was written later. So where the mark is, there is also all that was written before it: the positions in it say up
 * to where, and only what comes after them may be lost.
 */
export class FillMark {
  readonly #redis: RedisClient
  readonly #address: string
  readonly #keys: readonly string[]
  readonly #claimKey: string

  constructor(redis: RedisClient, { pipeline, address }: { pipeline: string; address: string }) {
    this.#redis = redis
    this.#address = address
    this.#keys = markKeys(pipeline, redis instanceof Cluster)
    this.#claimKey = `${pipeline}:refiller`
  }

  /** False too when Redis may have lost some of it. */
  isFilled(): Promise<boolean> {
    return this.#ask(async () => {
      const [servers, marks] = await Promise.all([serversOf(this.#redis), this.#marks()])
      return marks.every((mark) => isWhole(mark, servers))
    })
  }

  begin(): Promise<Filling> {
    return this.#ask(async () => {
      const servers = await serversOf(this.#redis)
      await Promise.all(this.#keys.map((key) => this.#redis.set(key, `filling ${randomUUID()}`, 'NX')))
      const marks = await this.#marks()
      return { ids: marks.map(({ id }) => id), servers, heldTo: heldByAll(marks) }
    })
  }

  /**
   * Writes down how far Redis has `.scores`, unless it may have lost some of it.
   * @param readAcknowledged up to where Redis has acknowledged all of it; asked for after the servers were
   */
  advance(readAcknowledged: () => Promise<Positions>): Promise<void> {
    return this.#ask(async () => {
      const runIds = await runIdsOf(this.#redis)
      const positions = encodePositions(await readAcknowledged())
      const argv = [hashOf(runIds), runIds.join(), positions]
      await Promise.all(this.#keys.map((key) => this.#redis.eval(ADVANCE, 1, key, ...argv)))
    })
  }

  /** Whether what was written since `begin` is still there. */
  holds({ ids, servers }: Filling): Promise<boolean> {
    return this.#ask(async () => {
      const [now, marks] = await Promise.all([serversOf(this.#redis), this.#marks()])
      return now === servers && marks.every(({ id }, i) => id === ids[i])
    })
  }

  /** All was written. @throws REDIS_LOST_DATA when some of it was lost meanwhile */
  async confirm({ ids, servers }: Filling): Promise<void> {
    const set = await this.#ask(() =>
      Promise.all(this.#keys.map((key, i) => this.#redis.eval(CONFIRM, 1, key, ids[i]!, servers))),
    )
    if (set.includes(0) || !(await this.isFilled()))
      throw new FreshetError('REDIS_LOST_DATA', `${this.#address} lost data while it was refilled`)
  }

  /**
   * Spares work, no more: two that fill at the same time do no harm. To be said again every few seconds.
   * @returns who fills: `owner`, unless another said so and is still there
   */
  claim(owner: string): Promise<string> {
    return this.#ask(async () => {
      const taken = await this.#redis.set(this.#claimKey, owner, 'PX', CLAIM_MS, 'NX')
      if (taken !== null) return owner
      const holder = await this.#redis.get(this.#claimKey)
      if (holder === owner) await this.#redis.pexpire(this.#claimKey, CLAIM_MS)
      return holder ?? owner
    })
  }

  release(owner: string): Promise<void> {
    return this.#ask(async () => {
      if ((await this.#redis.get(this.#claimKey)) === owner) await this.#redis.del(this.#claimKey)
    })
  }

  #marks(): Promise<Mark[]> {
    return Promise.all(this.#keys.map(async (key) => readMark(await this.#redis.get(key))))
  }

  /** @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    assertConnected(this.#redis)
    try {
      return await question()
    } catch (error) {
      throw toRedisError(error, this.#address)
    }
  }
}

interface Mark {
  readonly state: string
  readonly id: string
  readonly servers: string
  readonly positions: string
}

export function readMark(text: string | null): Mark {
  const [state = '', id = '', servers = '', positions = ''] = text?.split(' ') ?? []
  return { state, id, servers, positions }
}

/** @param servers those of now */
export function isWhole(mark: Mark, servers: string): boolean {
  return mark.state === 'filled' && mark.servers === servers
}

/** The same as long as every process that holds data runs. */
export async function serversOf(redis: RedisClient): Promise<string> {
  return hashOf(await runIdsOf(redis))
}

async function runIdsOf(redis: RedisClient): Promise<string[]> {
  const infos = await Promise.all(mastersOf(redis).map((node) => node.info('server')))
  return infos.map((info) => /^run_id:(\w+)/m.exec(info)?.[1] ?? '').sort()
}

function hashOf(runIds: readonly string[]): string {
  return createHash('sha1').update(runIds.join()).digest('hex').slice(0, 12)
}

/** Each part of a cluster may have lost more than another: the lowest position counts. */
function heldByAll(marks: readonly Mark[]): Positions | null {
  const lowest = new Map<number, number>()
  for (const { state, positions } of marks) {
    if (state !== 'filled' || positions === '') return null
    const held = decodePositions(positions)
    if (held === undefined) return null
    for (const [partition, offset] of held)
      lowest.set(partition, Math.min(offset, lowest.get(partition) ?? offset))
  }
  return lowest
}

/** `0:120,1:95` */
function encodePositions(positions: Positions): string {
  return [...positions].map((at) => at.join(':')).join()
}

/** undefined for another text: then nothing is known of what Redis holds. */
export function decodePositions(text: string): [partition: number, offset: number][] | undefined {
  if (!/^\d+:\d+(,\d+:\d+)*$/.test(text)) return undefined
  const positions = text.split(',').map((at) => at.split(':').map(Number) as [number, number])
  return positions.flat().every(Number.isSafeInteger) ? positions : undefined
}
