import { countOf, formatCount, formatShare } from '../format.ts'
import { answersOf, shareOf } from './answers.ts'
import type { Rule } from './rule.ts'

/** The one promise that callers plan with. */
export const deadlineMisses: Rule = {
  name: 'deadline-misses',
  find(scene) {
    const { threshold } = scene
    const { late, total } = answersOf(scene)
    const share = shareOf(scene, {
      above: threshold,
      of: ({ late, total }) => ({ part: late, whole: total }),
    })
    if (share <= threshold) return []
    return [
      {
        id: 'deadline-misses',
        title: `${formatShare(share)} of the answers come after their deadline`,
        details: { 'Last minute': `${formatCount(late)} late of ${countOf(total, 'answer')}` },
        advice: {
          effect: 'callers wait longer than they were promised; one that gave up has no score',
          firstLook: 'the CPU of the machine of the gateway; then its slowest requests in Kibana',
        },
        measure: { value: share },
      },
    ]
  },
}
