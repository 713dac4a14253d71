import { countOf, formatCount, formatShare } from '../format.ts'
import { answersOf, shareOf } from './answers.ts'
import type { Rule } from './rule.ts'

/** Refused at once, rather than answered too late: the gateway does as it should, and is too small. */
export const requestsRefused: Rule = {
  name: 'requests-refused',
  find(scene) {
    const { threshold } = scene
    const { refused, requests } = answersOf(scene)
    const share = shareOf(scene, {
      above: threshold,
      of: ({ refused, requests }) => ({ part: refused, whole: requests }),
    })
    if (share <= threshold) return []
    return [
      {
        id: 'requests-refused',
        title: `${formatShare(share)} of the requests are refused, since more come in than can be answered in time`,
        details: { 'Last minute': `${formatCount(refused)} of ${countOf(requests, 'request')}` },
        advice: {
          effect: 'these callers get 503 with Retry-After; the others are answered in time',
          firstLook: 'who asks so much; then more gateways, or gateway.workers',
        },
        measure: { value: share },
      },
    ]
  },
}
