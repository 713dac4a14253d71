import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Panel } from '../describe/panel.ts'

export const modelVersions: Panel = {
  id: 'freshet-models',
  title: 'Model versions in use',
  description:
    'Changes scored per second, by the model that scored them; scoring again after a promotion counts too. Two models side by side for long means that a scorer does not change over.',
  dataView: 'traces',
  query: `${ATTRIBUTES.model} : * and kind : "Consumer" and ${ATTRIBUTES.stage} : *`,
  draw: 'stackedBars',
  groups: [{ label: 'Model', field: ATTRIBUTES.model, size: 10 }],
  figures: [
    { label: 'Changes', figure: { kind: 'sum', of: ATTRIBUTES.messagingBatchMessages }, perSecond: true },
  ],
}
