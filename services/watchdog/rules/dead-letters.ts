import { listed } from '@freshet/stage/listed.ts'
import { countOf } from '../format.ts'
import { grown } from './living.ts'
import type { Rule } from './rule.ts'

const COUNTERS = { captured: 'freshet.poller.dead', scored: 'freshet.scorer.dead' } as const

/** Growing, that is: those of before are in the topic, and are nobody's alarm. */
export const deadLetters: Rule = {
  name: 'dead-letters',
  find({ now, threshold }) {
    const sum = (name: string) => grown(now.instances, name, 'lastFiveMinutes')
    const [captured, scored] = [sum(COUNTERS.captured), sum(COUNTERS.scored)]
    const rows = captured + scored
    if (rows <= threshold) return []
    const writers = now.instances.filter((one) =>
      Object.values(COUNTERS).some((name) => grown([one], name, 'lastFiveMinutes') > 0),
    )
    return [
      {
        id: 'dead-letters',
        title: `${countOf(rows, 'change')} could not be ${scored === 0 ? 'captured' : 'scored'}`,
        details: {
          'Last five minutes': [
            ...(captured > 0
              ? [`${countOf(captured, 'document')} without a usable key or version, or too large`]
              : []),
            ...(scored > 0 ? [`${countOf(scored, 'change')} that the model cannot score`] : []),
          ].join('; '),
          Instances: listed(writers.map(({ heartbeat }) => heartbeat.instance)),
        },
        advice: {
          effect: 'these documents have no new score; callers get the one of before, or the default',
          firstLook: '`freshet replay --dead --dry-run`, each with its reason',
        },
        measure: { value: rows },
      },
    ]
  },
}
