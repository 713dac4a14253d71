import type { Asked, LoadOrder } from './load/generator.ts'
import type { World, WorldOptions } from './world.ts'

/** When a fault comes and goes, in milliseconds of the load. */
interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** What at least a share of those must be that were asked while it was broken, and met no stall of the machine. */
export interface Share {
  /** For people. */
  readonly what: string
  readonly atLeast: number
  is(one: Asked): boolean
  /** Of which ones; all, unless told. */
  of?(one: Asked): boolean
}

/** Something that breaks while the gateway is asked, and what callers get meanwhile. */
export interface Fault {
  readonly name: string
  /** What is broken, for people. */
  readonly title: string
  readonly world?: WorldOptions
  /** What is asked; lookups unless it says otherwise. Called when all is prepared. */
  load?(span: Span, world: World): Partial<Pick<LoadOrder, 'requests' | 'requestsPerSecond' | 'phases'>>
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
  /** What most of them must be, where it is not for single ones to be so. */
  readonly shares?: readonly Share[]
  /** An answer as before the fault. */
  isWell(one: Asked, world: World): boolean
  /** It is more than the gateway can take, so these may be refused: at once, and not all of them (`shares`). */
  mayRefuse?(one: Asked): boolean
  /** So many threads of the gateway compute until it is well: how long they wait for a core is the machine's doing. */
  readonly computingThreads?: number
  /** Some keys have no score anywhere while it is broken. */
  readonly allowsDefault?: true
}
