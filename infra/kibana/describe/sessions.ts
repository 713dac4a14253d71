import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Session } from './session.ts'

export const SESSIONS: readonly Session[] = [
  {
    name: 'slowRequests',
    title: 'Freshet: slow requests',
    description:
      'Requests to the gateway, slowest first. Late, degraded and failed ones are all there as far as telemetry.requestSpansPerSecond goes, good ones as a sample (telemetry.requestShare).',
    dataView: 'traces',
    query: 'kind : "Server"',
    columns: [
      'duration',
      'name',
      ATTRIBUTES.answerSource,
      ATTRIBUTES.answerLate,
      ATTRIBUTES.answerReason,
      ATTRIBUTES.key,
      'trace_id',
    ],
    sort: ['duration', 'desc'],
  },
  {
    name: 'fallbacks',
    title: 'Freshet: fallbacks',
    description: 'Requests that a better source should have answered, and why it did not.',
    dataView: 'traces',
    query: `kind : "Server" and ${ATTRIBUTES.answerDegraded} : true`,
    columns: [
      ATTRIBUTES.answerSource,
      ATTRIBUTES.answerReason,
      ATTRIBUTES.key,
      ATTRIBUTES.model,
      'duration',
      'trace_id',
    ],
    sort: ['@timestamp', 'desc'],
  },
  {
    name: 'failedDocuments',
    title: 'Freshet: failed documents',
    description:
      'Documents that could not be captured or scored, each with its reason; `freshet replay --dead` tries them again once they are mended. Where many fail at once, one line stands for several.',
    dataView: 'logs',
    query: 'event_name : "freshet.dead_letter"',
    columns: [
      ATTRIBUTES.key,
      ATTRIBUTES.errorType,
      ATTRIBUTES.field,
      'message',
      ATTRIBUTES.model,
      'trace_id',
    ],
    sort: ['@timestamp', 'desc'],
  },
  {
    name: 'documentJourney',
    title: 'Freshet: one document’s journey',
    description:
      'From the poll to the answer, step by step: one document in telemetry.traceOneIn, and those named by `freshet trace <key>`. Narrow it by the key or the trace of one.',
    dataView: 'traces',
    query: `${ATTRIBUTES.documentStep} : *`,
    columns: [
      ATTRIBUTES.key,
      ATTRIBUTES.documentStep,
      ATTRIBUTES.documentAgeMs,
      'duration',
      ATTRIBUTES.documentState,
      'service.name',
      'trace_id',
    ],
    sort: ['@timestamp', 'asc'],
  },
  {
    name: 'troubles',
    title: 'Freshet: warnings and errors',
    description: 'What any service complains of, with the trace in which it happened.',
    dataView: 'logs',
    query: 'severity_number >= 13 or event_name : "exception"',
    columns: ['service.name', 'severity_text', 'message', ATTRIBUTES.errorType, ATTRIBUTES.hint, 'trace_id'],
    sort: ['@timestamp', 'desc'],
  },
]
