import type { RuleName } from '@freshet/config/alert-rules.ts'
import type { AlertWorld } from './world.ts'

/** How what people read begins, as a pattern: it must name the right cause. It may depend on what the fault has done. */
export type Cause = (world: AlertWorld) => RegExp

/** Something that breaks in a running pipeline, and what people are told of it. */
export interface AlertFault {
  /** What is done, for people. */
  readonly title: string
  readonly rule: RuleName
  readonly cause: Cause
  /** Breaks it. @returns what mends it */
  begin(world: AlertWorld): Promise<() => Promise<void>>
  /** What may be told besides, since it follows from it and is trouble of its own. */
  readonly consequences?: readonly Cause[]
  /** Nobody can know of it before a request has run out of time. */
  readonly unseenSeconds?: number
  /** The rule looks back so far, so it is not over before: none waits for it but who has the time. */
  readonly lingersSeconds?: number
  /** Where nobody gets the CPU in time people are told the same without it, and go on being told. */
  readonly isAlsoStarvation?: true
}
