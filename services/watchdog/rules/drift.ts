import { driftIndices } from '../drift-index.ts'
import { formatCount } from '../format.ts'
import { livingOf } from './living.ts'
import type { Rule } from './rule.ts'

/** Each scorer sees a part of the documents; the one that sees the most of it is told. */
export const drift: Rule = {
  name: 'drift',
  find(scene) {
    const { threshold } = scene
    const scorers = livingOf(scene, 'scorer')
    const worst = new Map<string, { psi: number; rows: number; instance: string; model: string }>()
    for (const { heartbeat } of scorers)
      for (const { output, psi } of driftIndices(heartbeat.metrics)) {
        if (psi <= threshold || psi <= (worst.get(output)?.psi ?? 0)) continue
        const { instance, model, metrics } = heartbeat
        worst.set(output, { psi, rows: metrics['freshet.drift.rows'] ?? 0, instance, model: model ?? 'none' })
      }
    return [...worst].map(([output, { psi, rows, instance, model }]) => ({
      id: `drift/${output}`,
      title: `the scores of ${output} have drifted: a stability index of ${psi.toFixed(2)}`,
      details: {
        Model: model,
        'Documents of the last hour': formatCount(rows),
        'Seen by': instance,
      },
      advice: {
        effect:
          'scores are of documents unlike those that the model was released with, and may be less good than they were',
        firstLook: 'which columns moved: freshet.drift.mean, .missing and .unknown of the scorer',
      },
      measure: { value: psi },
    }))
  },
}
