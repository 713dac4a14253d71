import { Buffer } from 'node:buffer'
import type { Client } from '@elastic/elasticsearch'
import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { type KeyCutter, keyCutter } from '@freshet/capture/document-key.ts'
import { hitToChange, isUnusable, type Unusable } from '@freshet/capture/hit-to-change.ts'
import type { Scope } from '@freshet/capture/scope.ts'
import type { Change } from '@freshet/records/change.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { DeadReasons } from './dead-reasons.ts'
import type { Findings } from './findings.ts'
import type { LiveTable } from './live-table.ts'
import { readAgain } from './read-again.ts'
import type { Repair } from './repair.ts'
import type { JoinedShard, Suspect } from './verify-join.ts'
import { type HeldRow, type JudgeContext, judge } from './verify-judge.ts'
import { SHARED_BY_ROUTING, wayOut } from './way-out.ts'

/** A shard whose documents can be asked for again. */
export interface LookedAt extends JoinedShard {
  readonly view: ShardView
  /** Documents without a usable key, by index and id. */
  readonly keyless: LiveTable
}

export interface SecondLookParts {
  readonly client: Client
  readonly scope: Scope
  readonly maxPageBytes: number
  readonly maxMessageBytes: number
  readonly clock: Clock
  readonly context: JudgeContext
  readonly findings: Findings
  /** Whether a living document of another shard has the key too, and its score. */
  readonly isShadowed: (shard: LookedAt, key: Change['key']) => boolean
  /** Read when it is first needed. */
  readonly deadReasons: () => Promise<DeadReasons>
  /** null: nothing is emitted. */
  readonly repair: Repair | null
}

/**
 * Nothing is reported wrong by one look alone: the document may have been written again or deleted since. So it is
 * asked for by its sequence number, on the primary; when it still has it, it is judged by its whole revision. What is
 * wrong is emitted again at once, from the very bytes that were judged.
 */
export class SecondLook<Shard extends LookedAt> {
  readonly #parts: SecondLookParts
  readonly #toChange: ReturnType<typeof hitToChange>
  readonly #keyOf: KeyCutter

  constructor(parts: SecondLookParts) {
    this.#parts = parts
    this.#toChange = hitToChange(parts.scope, parts.maxMessageBytes)
    this.#keyOf = keyCutter(parts.scope.key)
  }

  /** @param suspects of any shards of one join. @throws as readPage and Producer.send do */
  async atSuspects(suspects: readonly Suspect<Shard>[], signal: AbortSignal): Promise<void> {
    for (const [shard, ofShard] of Map.groupBy(suspects, (suspect) => suspect.shard)) {
      const rows = new Map(ofShard.map(({ key, row }) => [key.toString(), row]))
      const seqNos = ofShard.map(({ seqNo }) => seqNo)
      await this.#look(shard, seqNos, (key) => (key === undefined ? undefined : rows.get(key)), signal)
    }
  }

  /** At what no row has met. Call it when all rows were handed in. @throws as readPage and Producer.send do */
  async atUnmet(shard: Shard, signal: AbortSignal): Promise<void> {
    await this.#lookAtAll(
      shard,
      shard.table,
      (key) => (key === undefined || isMet(shard, key) ? undefined : null),
      signal,
    )
  }

  /** At what has no usable key, and so no row. @throws as readPage does */
  async atKeyless(shard: Shard, signal: AbortSignal): Promise<void> {
    await this.#lookAtAll(shard, shard.keyless, (key) => (key === undefined ? null : undefined), signal)
  }

  async #lookAtAll(shard: Shard, documents: LiveTable, rowOf: RowOf, signal: AbortSignal): Promise<void> {
    const { checkpoint, captured, tally } = shard
    let seqNos: number[] = []
    for (const seqNo of documents.unmetSeqNos(checkpoint)) {
      if (seqNo > checkpoint) continue
      if (captured === null || seqNo > captured.seqNo) tally.pending++
      else if (seqNos.push(seqNo) === LOOK_AT_ONCE) {
        await this.#look(shard, seqNos, rowOf, signal)
        seqNos = []
      }
    }
    await this.#look(shard, seqNos, rowOf, signal)
  }

  async #look(shard: Shard, seqNos: readonly number[], rowOf: RowOf, signal: AbortSignal): Promise<void> {
    if (seqNos.length === 0) return
    const { client, scope, maxPageBytes, clock, repair } = this.#parts
    const { index, shard: number, identity } = shard.view
    const place = { index, shard: number, node: identity.node }
    const page = { epoch: shard.captured!.epoch, capturedAtMs: clock.nowMs(), trace: null }
    await refresh(client, index, signal) // else it shows what was before
    for await (const hits of readAgain(client, place, seqNos, { scope, maxPageBytes, signal })) {
      const wrong: Change[] = []
      for (const hit of hits) {
        const change = hit.isInScope ? this.#toChange(hit, page) : undefined
        if (change === undefined) continue
        const row = rowOf(this.#keyOf(hit)?.toString())
        if (row === undefined) continue
        if (isUnusable(change)) this.#setAsideUnusable(shard, change)
        else if (await this.#judge(shard, change, row ?? undefined)) wrong.push(change)
      }
      if (wrong.length > 0) await repair?.emit(wrong, signal)
    }
  }

  /** @returns whether emitting it again helps */
  async #judge(shard: Shard, change: Change, row: HeldRow | undefined): Promise<boolean> {
    const { context, deadReasons, findings, scope } = this.#parts
    const { standing, hidden } = judge(change.revision, row, context)
    if (standing !== 'missing' && standing !== 'stale') {
      if (standing === 'setAside') this.#setAside(shard, change)
      else shard.tally[standing]++
      return false
    }
    const letter = (await deadReasons()).reasonOf(change.key.toString(), change.revision)
    if (letter !== undefined) {
      this.#setAside(shard, change, letter)
      return false
    }
    shard.tally[standing]++
    const help = hidden
      ? wayOut(change.revision, row!.revision, scope.versionField)
      : this.#whyNever(shard, change)
    if (help === undefined) findings.add(standing, change.key)
    else findings.addBeyondRepair(standing, change.key, help)
    return help === undefined
  }

  /** What no row tells: that of the other document is its score, and has met it. */
  #whyNever(shard: Shard, { key }: Change): string | undefined {
    return this.#parts.isShadowed(shard, key) ? SHARED_BY_ROUTING : undefined
  }

  #setAsideUnusable(shard: Shard, { code, reason, hit, change }: Unusable): void {
    const why = `${code}: ${reason}`
    if (this.#keyOf(hit) !== undefined) this.#setAside(shard, change, why)
    else {
      shard.tally.withoutKey++
      this.#parts.findings.add('withoutKey', change.key, why)
    }
  }

  #setAside(shard: Shard, { key }: Change, reason?: string): void {
    shard.tally.setAside++
    this.#parts.findings.add('setAside', key, reason)
  }
}

/**
 * Of a key, or of none that is usable: null when there is no row; undefined for a document that nobody asked for, which
 * has that sequence number too.
 */
type RowOf = (key: string | undefined) => HeldRow | null | undefined

/** Documents that are asked for together. */
export const LOOK_AT_ONCE = 1_000

function isMet({ table }: JoinedShard, key: string): boolean {
  const bytes = Buffer.from(key)
  return table.isMet(bytes, 0, bytes.length)
}
