import { countOf, formatCount } from '../format.ts'
import type { Rule } from './rule.ts'

/** What the last run of `freshet verify --watch` found; one that was stopped has no say any more. */
export const verifyFailed: Rule = {
  name: 'verify-failed',
  find({ now, threshold }) {
    const last = now.instances
      .filter(({ heartbeat }) => heartbeat.service === 'verify' && heartbeat.status !== 'stopping')
      .filter(({ heartbeat }) => (heartbeat.metrics['freshet.verify.ended'] ?? 0) > 0)
      .toSorted((a, b) => a.heardAtMs - b.heardAtMs)
      .at(-1)?.heartbeat
    if (last === undefined) return []
    const figure = (name: string) => last.metrics[`freshet.verify.${name}`] ?? 0
    const wrong = figure('missing') + figure('stale') + figure('extra')
    if (wrong <= threshold) return []
    return [
      {
        id: 'verify-failed',
        title: `${countOf(wrong, 'score is', 'scores are')} missing, stale or extra`,
        details: {
          Missing: formatCount(figure('missing')),
          Stale: formatCount(figure('stale')),
          Extra: formatCount(figure('extra')),
          'Living documents': formatCount(figure('live')),
          'Found by': last.instance,
        },
        advice: {
          effect:
            'callers get old scores, none, or scores of what no longer lives, for the documents counted here',
          firstLook: '`freshet verify` names them, `freshet verify --repair` emits them again',
        },
        measure: { value: wrong },
      },
    ]
  },
}
