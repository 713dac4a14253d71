/** Figures in words, as rules, messages and the command line say them. The page's are in page/public/words.js, for browsers. */

/** `42 s`, `7 min`, `3 h`, `2 days`: in the largest unit of which there are two. */
export function formatSeconds(seconds: number): string {
  const [size, unit] = UNITS.find(([length]) => seconds >= 2 * length) ?? [1, 's']
  return `${Math.floor(Math.max(0, seconds) / size)} ${unit}`
}

const UNITS = [
  [86_400, 'days'],
  [3_600, 'h'],
  [60, 'min'],
] as const

/** `5,210`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** `1 change`, `5,210 changes`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${Math.round(count) === 1 ? one : many}`
}

/** `12 %`, and `0.4 %` below ten. */
export function formatShare(share: number): string {
  const percent = share * 100
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)} %`
}
