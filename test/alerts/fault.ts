import type { RuleName } from '@freshet/config/alert-rules.ts'
import type { AlertWorld } from './world.ts'

/** Something that breaks in a running pipeline, and what people are told of it. */
export interface AlertFault {
  /** What is done, for people. */
  readonly title: string
  readonly rule: RuleName
  /** How what people read begins: the right cause. May depend on what `begin` has done. */
  cause(world: AlertWorld): RegExp
  /** Breaks it. @returns what mends it */
  begin(world: AlertWorld): Promise<() => Promise<void>>
  /** What else may be told, since it follows from it and is trouble of its own. */
  readonly consequences?: readonly RegExp[]
}
