import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { MetricName } from '@freshet/telemetry/metrics-table.ts'
import type { Panel, TopColumn } from '../describe/panel.ts'

export const answers: Panel = answersBy({
  id: 'freshet-answers',
  title: 'Answers by source',
  description:
    'Answers per second of all gateways, by where they came from. Redis (cache) and the model (live) are as fresh as can be; the snapshot is up to a minute older; default means that nothing had a score.',
  group: { label: 'Source', field: ATTRIBUTES.answerSource },
  figure: { label: 'Answers', of: 'freshet.answers' },
})

export const degradedAnswers: Panel = answersBy({
  id: 'freshet-degraded-answers',
  title: 'Degraded answers, by reason',
  description:
    'Answers per second that a better source should have given, by why it did not. docs/gateway.md says of each reason what is broken.',
  group: { label: 'Reason', field: ATTRIBUTES.answerReason },
  figure: { label: 'Degraded', of: 'freshet.answers.degraded' },
})

interface AnswersBy extends Pick<Panel, 'id' | 'title' | 'description'> {
  readonly group: Pick<TopColumn, 'label' | 'field'>
  readonly figure: { readonly label: string; readonly of: MetricName }
}

/** How many answers a second a counter has, in each of its groups. */
function answersBy({ id, title, description, group, figure: { label, of } }: AnswersBy): Panel {
  return {
    ...{ id, title, description },
    dataView: 'metrics',
    query: `${of} : *`,
    draw: 'stackedBars',
    groups: [{ ...group, size: 10 }],
    figures: [{ label, figure: { kind: 'sum', of }, perSecond: true }],
  }
}
