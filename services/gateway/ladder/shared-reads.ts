import type { StoredScore } from '@freshet/records/stored-score.ts'

/**
 * A read joins one of the same key that is under way, unless that began longer ago: what it brings may be as old as its
 * beginning, and a score that was stored meanwhile must be found.
 */
const JOIN_WITHIN_MS = 10

/** One read of a key at a time, however many ask for it at once. */
export class SharedReads {
  readonly #get: (key: string) => Promise<StoredScore | undefined>
  readonly #underWay = new Map<string, { readonly startedAtMs: number; readonly reply: Reply }>()

  constructor(get: (key: string) => Promise<StoredScore | undefined>) {
    this.#get = get
  }

  /** @returns whether it joined a read that was under way. */
  get(key: string, nowMs: number): { readonly reply: Reply; readonly joined: boolean } {
    const other = this.#underWay.get(key)
    if (other !== undefined && nowMs - other.startedAtMs <= JOIN_WITHIN_MS)
      return { reply: other.reply, joined: true }
    const read = { startedAtMs: nowMs, reply: this.#get(key) }
    this.#underWay.set(key, read)
    const end = () => {
      if (this.#underWay.get(key) === read) this.#underWay.delete(key)
    }
    read.reply.then(end, end)
    return { reply: read.reply, joined: false }
  }
}

type Reply = Promise<StoredScore | undefined>
