import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Panel } from '../describe/panel.ts'

export const errors: Panel = {
  id: 'freshet-error-count',
  title: 'Errors, by service and code',
  description:
    'Warnings, errors and failed documents of the logs that have a code; docs/reference/errors.md says of each code what to do.',
  dataView: 'logs',
  query: `${ATTRIBUTES.errorType} : * and severity_number >= 13`,
  draw: 'table',
  groups: [
    { label: 'Service', field: 'service.name', size: 10 },
    { label: 'Code', field: ATTRIBUTES.errorType, size: 10 },
  ],
  figures: [{ label: 'Lines', figure: { kind: 'count' } }],
}
