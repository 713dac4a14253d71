/** What most faults ask for, and what an answer can be. */
import type { Asked } from '../load/generator.ts'
import { IN_BOTH } from '../truth.ts'
import { predict } from '../world.ts'

export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

export const predictions = numbers(0, IN_BOTH).map((number) => predict(number))

export const fromCache = ({ status, source }: Asked) => status === 200 && source === 'cache'
export const isLive = ({ status, source }: Asked) => status === 200 && source === 'live'
export const isAnswered = ({ status }: Asked) => status === 200
