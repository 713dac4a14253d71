import type { Asked, LoadOrder } from './load/generator.ts'
import type { World, WorldOptions } from './world.ts'

/** When a fault comes and goes, in milliseconds of the load. */
interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** Something that breaks while the gateway is asked, and what callers get meanwhile. */
export interface Fault {
  readonly name: string
  /** What is broken, for people. */
  readonly title: string
  readonly world?: WorldOptions
  /** What is asked; a thousand lookups a second unless it says otherwise. */
  load?(span: Span): Partial<Pick<LoadOrder, 'requests' | 'requestsPerSecond' | 'phases'>>
  /** Before the load, as long as it takes. */
  prepare?(world: World): Promise<void>
  /** Breaks it. @returns what mends it; it may throw what it has seen to be wrong */
  begin(world: World): Promise<() => Promise<void>>
  /** What must come about in the end, however long the load lasted. */
  after?(world: World): Promise<void>
  /** What is wrong with an answer that was asked for while it was broken; null: nothing. */
  faultOf?(one: Asked): string | null
  /** What is wrong with all of them together: that the fault was not felt, say. */
  faultOfAll?(all: readonly Asked[]): string | null
  /** An answer as before the fault. */
  isWell(one: Asked, world: World): boolean
  /** It is more than the gateway can take, so some callers may be refused. */
  readonly mayRefuse?: true
  /** Some keys have no score anywhere while it is broken. */
  readonly allowsDefault?: true
}
