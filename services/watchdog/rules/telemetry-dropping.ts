import type { InstanceFacts } from '@freshet/records/facts.ts'
import { listed } from '@freshet/stage/listed.ts'
import { countOf } from '../format.ts'
import { grown } from './living.ts'
import type { Rule } from './rule.ts'

const DROPPED = 'freshet.telemetry.dropped'

/** What is given up on by an instance that ends is no sign of anything. */
export const telemetryDropping: Rule = {
  name: 'telemetry-dropping',
  find({ now, threshold }) {
    const dropping = now.instances.filter((instance) => droppedBy(instance) > 0)
    const documents = dropping.reduce((sum, instance) => sum + droppedBy(instance), 0)
    if (documents <= threshold) return []
    const reasons = new Set(
      dropping.flatMap(({ lastMinute }) =>
        Object.keys(lastMinute.by)
          .filter((name) => name.startsWith(`${DROPPED}.`))
          .map((name) => name.slice(DROPPED.length + 1)),
      ),
    )
    return [
      {
        id: 'telemetry-dropping',
        title: `${countOf(documents, 'trace or log', 'traces and logs')} were given up on in the last minute`,
        details: {
          Reasons: [...reasons].join(', '),
          Instances: listed(dropping.map(({ heartbeat }) => heartbeat.instance)),
        },
        advice: {
          effect: 'callers notice nothing; Kibana has gaps',
          firstLook: 'the log of these instances: how long telemetry was not taken, and why',
        },
        measure: { value: documents },
        sinceSeconds: 60,
        needs: ['elasticsearch'],
      },
    ]
  },
}

function droppedBy(instance: InstanceFacts): number {
  return grown([instance], DROPPED, 'lastMinute') - grown([instance], `${DROPPED}.stopped`, 'lastMinute')
}
