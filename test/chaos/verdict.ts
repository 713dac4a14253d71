import type { Told } from '../alerts/told.ts'
import type { CallerReport } from './callers.ts'
import type { Resources } from './resources.ts'

/** What is found at the end of a round. */
export interface Verdict {
  readonly seed: number
  readonly minutes: number
  readonly faults: number
  readonly passedOver: number
  /** What went wrong while it was struck. */
  readonly findings: readonly string[]
  readonly writes: number
  /** Of the oracle; null when it could not be asked. */
  readonly proof: {
    readonly documents: number
    readonly missing: number
    readonly stale: number
    readonly extra: number
  } | null
  /** Exit code of `freshet verify`, and what it said. */
  readonly verify: { readonly code: number | null; readonly says: string }
  readonly callers: CallerReport
  /** From the last repair until every process runs, the gateway has all its sources, and the oracle is content. */
  readonly healthySeconds: number | null
  readonly resources: Readonly<
    Record<string, { readonly before: Resources; readonly after: Resources; readonly isBack: boolean }>
  >
  readonly told: number
  readonly unexplained: readonly Told[]
  /** What still fires, by the watchdogs; null when they do not answer. */
  readonly open: readonly string[] | null
}

export interface Problem {
  readonly what: string
  /** A busy machine alone may be why. */
  readonly isTiming: boolean
}

const HEALTHY_SECONDS = 60

/** Why the round does not hold; nothing: it does. */
export function problemsOf(verdict: Verdict): readonly Problem[] {
  const { proof, verify, callers, healthySeconds, resources, unexplained, open, findings } = verdict
  const wrong = proof && proof.missing + proof.stale + proof.extra
  const notBack = Object.entries(resources).filter(([, { isBack }]) => !isBack)
  return [
    problem(wrong === 0, `lost, stale or extra: ${JSON.stringify(proof)}`),
    problem(verify.code === 0, `verify ends with ${verify.code}: ${verify.says}`),
    problem(callers.errors.length === 0, `errors: ${JSON.stringify(callers.errors.slice(0, 3))}`),
    problem(unexplained.length === 0, `told without a cause: ${JSON.stringify(unexplained)}`),
    problem(open?.length === 0, `alerts are open: ${JSON.stringify(open)}`),
    problem(findings.length === 0, findings.join('; ')),
    problem(notBack.length === 0, `not back at the baseline: ${JSON.stringify(Object.fromEntries(notBack))}`),
    problem(
      callers.late.length === 0,
      `${callers.late.length} late answers, meanwhile the gateway’s threads: ${JSON.stringify(callers.late.slice(0, 3).map(({ meanwhile }) => meanwhile))}`,
      true,
    ),
    problem(callers.refused === 0, `${callers.refused} refusals`, true),
    problem(
      healthySeconds !== null && healthySeconds <= HEALTHY_SECONDS,
      `healthy after ${healthySeconds} s`,
      true,
    ),
  ].flatMap((one) => one ?? [])
}

function problem(holds: boolean, what: string, isTiming = false): Problem | undefined {
  return holds ? undefined : { what, isTiming }
}

export const TABLE_HEAD = [
  '| seed | minutes | faults | writes / documents | lost / stale / extra | verify | requests: all / while down / late by the machine / late | healthy after s | memory MiB: who grew most | descriptors: who grew most | alerts told / without a cause / open | holds |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
].join('\n')

export function tableRow(verdict: Verdict): string {
  const { seed, minutes, faults, writes, proof, verify, callers, healthySeconds, resources, told } = verdict
  const most = (of: keyof Resources) => {
    const grown = Object.entries(resources).map(([name, { before, after }]) => ({
      ...{ name, from: Math.round(before[of]), to: Math.round(after[of]) },
    }))
    const [first] = grown.toSorted((a, b) => b.to - b.from - (a.to - a.from))
    return first === undefined ? 'not known' : `${first.name} ${first.from} → ${first.to}`
  }
  const cells = [
    seed,
    minutes,
    faults,
    `${writes} / ${proof?.documents}`,
    proof === null ? 'not known' : `${proof.missing} / ${proof.stale} / ${proof.extra}`,
    verify.code === 0 ? 'clean' : `exit code ${verify.code}`,
    `${callers.requests} / ${callers.whileDown} / ${callers.lateByTheMachine} / ${callers.late.length}`,
    healthySeconds === null ? 'never' : healthySeconds.toFixed(1),
    most('memoryMiB'),
    most('files'),
    `${told} / ${verdict.unexplained.length} / ${verdict.open?.length ?? 'not known'}`,
    problemsOf(verdict).length === 0 ? 'yes' : 'no',
  ]
  return `| ${cells.join(' | ')} |`
}
