import { countOf, formatCount, formatShare } from '../format.ts'
import { answersOf, shareOf, whyDegraded } from './answers.ts'
import type { Rule } from './rule.ts'

/** Callers are answered, and not as well as they should be. */
export const fallbackRatio: Rule = {
  name: 'fallback-ratio',
  find(scene) {
    const { threshold } = scene
    const { degraded, total, bySource } = answersOf(scene)
    const share = shareOf(scene, {
      above: threshold,
      of: ({ degraded, total }) => ({ part: degraded, whole: total }),
    })
    if (share <= threshold) return []
    const reasons = whyDegraded(scene).map(({ reason, answers }) => `${reason} ${formatCount(answers)}`)
    const sources = [...bySource].filter(([, count]) => count > 0)
    return [
      {
        id: 'fallback-ratio',
        title: `${formatShare(share)} of the answers are degraded`,
        details: {
          'Last minute': `${formatCount(degraded)} of ${countOf(total, 'answer')}`,
          ...(reasons.length > 0 && { Why: reasons.join(', ') }),
          Sources: sources.map(([source, count]) => `${source} ${formatCount(count)}`).join(', '),
        },
        advice: {
          effect:
            'callers get scores from the snapshot, older ones, or the default, where a better source should answer',
          firstLook:
            'what the reasons name: docs/gateway.md says of each what is broken; `freshet status` says what fails',
        },
        measure: { value: share },
        sinceSeconds: 60,
        needs: [
          'redis',
          'worker gateway/cache',
          'worker gateway/snapshot',
          'worker scorer/refill',
          'worker scorer/infer',
          'service scorer',
        ],
      },
    ]
  },
}
