/** Numbers as options take them: whatever is not plainly one is refused before anything is looked at. */
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
