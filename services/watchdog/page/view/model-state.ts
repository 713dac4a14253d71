import type { RuleSettings } from '@freshet/config/alert-rules.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { driftIndices } from '../../drift-index.ts'
import type { ModelState, RescoreState } from './page-state.ts'
import type { Seen } from './seen.ts'

export function modelState(facts: Facts | null, seen: Seen, driftRule: RuleSettings): ModelState {
  const model = facts?.model.value ?? null
  return {
    promoted:
      model === null || model.promoted === null
        ? null
        : { model: model.promoted, promotion: model.generation, promotedAtMs: model.promotedAtMs },
    inUse: inUse(seen),
    rescore: rescoreState(seen),
    refused: seen.lastFiveMinutes('freshet.models_refused'),
    drift: driftOf(seen, driftRule),
  }
}

function inUse({ listed }: Seen): ModelState['inUse'] {
  const users = new Map<string, string[]>()
  for (const { model, instance, status } of listed)
    if (model !== null && status !== 'gone' && status !== 'silent')
      users.set(model, [...(users.get(model) ?? []), instance])
  return [...users].map(([model, instances]) => ({ model, instances }))
}

/** All scorers tell the same of all partitions; each is a moment late, so the furthest is right. */
function rescoreState(seen: Seen): RescoreState | null {
  const scorers = seen.living('scorer').map(({ heartbeat }) => heartbeat.metrics)
  const promotion = Math.max(0, ...scorers.map((metrics) => metrics['freshet.rescore.generation'] ?? 0))
  const telling = scorers.filter((metrics) => (metrics['freshet.rescore.generation'] ?? 0) === promotion)
  const left = Math.min(...telling.map((metrics) => metrics['freshet.rescore.left'] ?? 0))
  if (telling.length === 0 || left === 0) return null
  const total = Math.max(left, ...telling.map((metrics) => metrics['freshet.rescore.total'] ?? 0))
  const beganAtSeconds = Math.max(0, ...telling.map((metrics) => metrics['freshet.rescore.began_at'] ?? 0))
  const perSecond = seen.perSecond('freshet.rescore.rows')
  return {
    promotion,
    share: (total - left) / total,
    left,
    total,
    beganAtMs: beganAtSeconds === 0 ? null : beganAtSeconds * 1_000,
    perSecond,
    leftSeconds: perSecond === 0 ? null : left / perSecond,
  }
}

function driftOf(
  seen: Seen,
  { enabled, threshold = Number.POSITIVE_INFINITY, severity }: RuleSettings,
): ModelState['drift'] {
  const documents = seen.total('freshet.drift.rows')
  if (documents === 0) return null
  const outputs = new Map<string, number>()
  const levelOf = (psi: number) => (enabled && psi > threshold ? severity : 'well')
  for (const { heartbeat } of seen.living('scorer'))
    for (const { output, psi } of driftIndices(heartbeat.metrics))
      outputs.set(output, Math.max(psi, outputs.get(output) ?? 0))
  return { documents, outputs: [...outputs].map(([output, psi]) => ({ output, psi, level: levelOf(psi) })) }
}
