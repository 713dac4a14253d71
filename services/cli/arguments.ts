/** Numbers as options take them: whatever is not plainly one is refused before anything is looked at. */
import type { Clock } from '@freshet/stage/clock.ts'
import { InvalidArgumentError } from 'commander'

/** More milliseconds than 2^31 are none at all for a timer of Node. */
const MAX_SECONDS = 2_000_000

/** @returns a parser of an option's value, which throws what commander tells people */
export function wholeNumber({ from, to }: { readonly from: number; readonly to?: number }) {
  return (text: string): number => {
    const value = Number(text)
    const isOne = /^\d+$/.test(text) && Number.isSafeInteger(value)
    if (isOne && value >= from && value <= (to ?? value)) return value
    const range = to === undefined ? `from ${from}` : `from ${from} to ${to}`
    throw new InvalidArgumentError(`It must be a whole number ${range}.`)
  }
}

/** @param options.orNone whether 0 is one too */
export function seconds({ orNone = false } = {}) {
  return (text: string): number => {
    const value = Number(text)
    const isOne = /^\d+(\.\d+)?$/.test(text) && value <= MAX_SECONDS
    if (isOne && (value > 0 || orNone)) return value
    const least = orNone ? 'from 0' : 'above 0'
    throw new InvalidArgumentError(`It must be a number of seconds ${least}, at most ${MAX_SECONDS}.`)
  }
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** @returns a parser of a time such as 90s, 30m, 2h or 3d, into milliseconds */
export function duration({ mostDays }: { readonly mostDays: number }) {
  return (text: string): number => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
    const ms = unit === undefined ? 0 : Number(amount) * UNIT_SECONDS[unit]! * 1_000
    if (ms > 0 && ms <= mostDays * 86_400_000) return ms
    throw new InvalidArgumentError(`It must be a time such as 90s, 30m, 2h or 3d, at most ${mostDays}d.`)
  }
}

/** @returns a parser of a moment, given as it is or as so long ago, into milliseconds since 1970 */
export function moment(clock: Pick<Clock, 'nowMs'>) {
  return (text: string): number => {
    const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
    const ms =
      unit === undefined ? Date.parse(text) : clock.nowMs() - Number(amount) * UNIT_SECONDS[unit]! * 1_000
    if (!Number.isNaN(ms)) return ms
    throw new InvalidArgumentError('It must be a time such as 2026-05-01T12:00:00Z, or 90m, 6h, 2d.')
  }
}
