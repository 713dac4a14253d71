// Figures and times in words: of the page, and of `freshet status --watch`, which imports this file too.

/** @param {number} amount e.g. 1,240 or 1.3 M */
export function count(amount) {
  const rounded = Math.round(amount)
  if (Math.abs(rounded) < 100_000) return rounded.toLocaleString('en-US')
  const [size, unit] = LARGE.find(([least]) => Math.abs(rounded) >= least)
  return `${short(rounded / size)} ${unit}`
}

const LARGE = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]

/** @param {number} bytes */
export function bytes(bytes) {
  const [size, unit] = SIZES.find(([least]) => bytes >= least) ?? [1, 'B']
  return `${short(bytes / size)} ${unit}`
}

const SIZES = [
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
]

/** A rate without its unit: three digits, and what is not nothing is not 0. */
export function rate(perSecond) {
  if (perSecond === 0) return '0'
  if (perSecond < 0.1) return '<0.1'
  return perSecond < 100 ? short(perSecond) : count(perSecond)
}

/** @param {number} part of 1; small ones are not nothing */
export function percent(part) {
  if (part > 0 && part < 0.001) return '<0.1 %'
  if (part < 1 && part > 0.999) return '>99.9 %'
  return `${Number((part * 100).toFixed(1))} %`
}

/** @param {number} seconds e.g. 0.4 s, 42 s, 7 min, 3 h, 2 days: in the largest unit of which there are two */
export function duration(seconds) {
  if (seconds < 10) return `${Number(Math.max(0, seconds).toFixed(1))} s`
  const [size, unit] = UNITS.find(([length]) => seconds >= 2 * length) ?? [1, 's']
  return `${Math.floor(seconds / size)} ${unit}`
}

const UNITS = [
  [86_400, 'days'],
  [3_600, 'h'],
  [60, 'min'],
]

/** @param {number} amount @param {string} one @param {string} [many] */
export function plural(amount, one, many = `${one}s`) {
  return `${count(amount)} ${amount === 1 ? one : many}`
}

/** A value with its unit, as measures of alerts have them. */
export function measured(value, unit) {
  if (unit === 's') return duration(value)
  if (unit === 'share') return percent(value)
  if (unit === 'By') return bytes(value)
  return `${Math.abs(value) < 100 ? short(value) : count(value)} ${unit}`.trim()
}

function short(value) {
  return String(Number(value.toPrecision(3)))
}

/** What people call the stages, what each does, and what it moves. */
export const STAGES = {
  capture: { title: 'Capture', does: 'Elasticsearch to Kafka', unit: 'changes', waiting: 'operations' },
  infer: { title: 'Score', does: 'changes to scores', unit: 'rows', waiting: 'changes' },
  cache: { title: 'Cache', does: 'scores to Redis', unit: 'rows', waiting: 'batches' },
  snapshot: { title: 'Snapshot', does: 'scores to S3', unit: 'rows', waiting: 'batches' },
  gateway: { title: 'Answer', does: 'scores to callers', unit: 'answers', waiting: '' },
}
