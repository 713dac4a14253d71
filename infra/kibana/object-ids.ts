/** Names of what is imported into Kibana: links lead to them, so they stay as they are. */
export const DATA_VIEW_IDS = {
  traces: 'freshet-traces',
  logs: 'freshet-logs',
  metrics: 'freshet-metrics',
} as const
export type DataViewName = keyof typeof DATA_VIEW_IDS

export const SESSION_IDS = {
  slowRequests: 'freshet-slow-requests',
  fallbacks: 'freshet-fallbacks',
  failedDocuments: 'freshet-failed-documents',
  documentJourney: 'freshet-document-journey',
  troubles: 'freshet-troubles',
} as const
export type SessionName = keyof typeof SESSION_IDS

export const DASHBOARD_ID = 'freshet-overview'
