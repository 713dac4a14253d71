/** What a figure has to reach, so that a program can tell whether it did. */
export interface Target {
  /** `value`, `cpuMicrosPerRow`, or one of the figure's other numbers by its name. */
  readonly of: string
  /** Then the quotient of ours and the baseline's is looked at. */
  readonly than?: 'baseline'
  readonly atLeast?: number
  readonly atMost?: number
}

/** As much of a result as targets speak of; null is what nobody wrote down. */
export interface Numbers {
  readonly value: number | null
  readonly cpuMicrosPerRow: number | null
  readonly also: Readonly<Record<string, number>>
}

export type Bare = (Numbers & Pick<BaselineNumbers, 'ratios'>) | null

interface BaselineNumbers extends Pick<Numbers, 'value' | 'cpuMicrosPerRow'> {
  /** Without them, the quotients are those of the numbers themselves. */
  readonly ratios?: Readonly<Record<string, number>>
  readonly parts: Readonly<Record<string, { readonly also?: Readonly<Record<string, number>> | undefined }>>
}

export type Verdict = 'met' | 'MISSED' | 'not measured'

export function judge(target: Target, ours: Numbers, bare: Bare): Verdict {
  const found = measuredFor(target, ours, bare)
  if (found === undefined) return 'not measured'
  const { atLeast = -Infinity, atMost = Infinity } = target
  return found >= atLeast && found <= atMost ? 'met' : 'MISSED'
}

/** undefined where ours or what it is compared with was not measured. */
export function measuredFor({ of, than }: Target, ours: Numbers, bare: Bare): number | undefined {
  const own = numberOf(of, ours)
  if (than === undefined || own === undefined) return own
  if (bare?.ratios !== undefined) return bare.ratios[of]
  const other = bare === null ? undefined : numberOf(of, bare)
  return other === undefined ? undefined : ratioOf(own, other)
}

/** Ours, as a multiple of the other; undefined unless both are above zero: of a slope that falls nothing is a multiple. */
export function ratioOf(own: number, other: number): number | undefined {
  return own > 0 && other > 0 ? own / other : undefined
}

/** The other numbers of a baseline of several parts are nobody's to compare with. */
export function bareNumbers(baseline: BaselineNumbers | null): Bare {
  if (baseline === null) return null
  const { value, cpuMicrosPerRow, ratios } = baseline
  const parts = Object.values(baseline.parts)
  const also = (parts.length === 1 && parts[0]!.also) || {}
  return { value, cpuMicrosPerRow, also, ...(ratios && { ratios }) }
}

export function targetText({ of, than, atLeast, atMost }: Target, unit: string): string {
  const limit =
    atLeast === undefined ? `≤ ${atMost!.toLocaleString('en')}` : `≥ ${atLeast.toLocaleString('en')}`
  const isValue = of === 'value'
  const isCpu = of === 'cpuMicrosPerRow'
  if (than === 'baseline') return `${isValue ? 'ratio' : isCpu ? 'CPU ratio' : `ratio of ${of}`} ${limit}`
  if (isValue) return `${limit} ${unit}`
  return isCpu ? `CPU ${limit} µs` : `${of} ${limit}`
}

function numberOf(name: string, { value, cpuMicrosPerRow, also }: Numbers): number | undefined {
  const found = name === 'value' ? value : name === 'cpuMicrosPerRow' ? cpuMicrosPerRow : also[name]
  return found === undefined || found === null || Number.isNaN(found) ? undefined : found
}
