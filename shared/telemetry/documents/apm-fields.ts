/**
 * What Kibana's APM views look for beside OpenTelemetry's own attributes, as Elastic's collector adds it
 * (elastic/opentelemetry-collector-components, processor/elasticapmprocessor). Unlike there, nothing is taken away: the
 * dashboards need `messaging.*`. why: decisions/0024
 */
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { hrTimeToMicroseconds } from '@opentelemetry/core'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'

/** The same span, with the fields beside its attributes. */
export function withApmFields(span: ReadableSpan): ReadableSpan {
  const { name, kind, startTime, endTime, duration, ended, status, events, links, resource } = span
  const context = span.spanContext()
  return {
    ...{ name, kind, startTime, endTime, duration, ended, status, events, links, resource },
    parentSpanContext: span.parentSpanContext as NonNullable<ReadableSpan['parentSpanContext']>,
    instrumentationScope: span.instrumentationScope,
    attributes: addApmFields({ ...span.attributes }, span),
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
    spanContext: () => context,
  }
}

/** One assignment a field, and no object in between: this is done for every span. */
function addApmFields(fields: Attributes, span: ReadableSpan): Attributes {
  const { parentSpanContext: parent, kind } = span
  const isFailure = span.status.code === SpanStatusCode.ERROR
  fields['timestamp.us'] = hrTimeToMicroseconds(span.startTime)
  fields['event.outcome'] = isFailure ? 'failure' : 'success'
  fields['event.success_count'] = isFailure ? 0 : 1
  const isTransaction = parent === undefined || parent.isRemote === true
  if (isTransaction) addTransaction(fields, span)
  else fields['processor.event'] = 'span'
  const isExit = kind === SpanKind.CLIENT || kind === SpanKind.PRODUCER
  if (!isTransaction || (parent === undefined && isExit)) addSpan(fields, span)
  return fields
}

function addTransaction(fields: Attributes, span: ReadableSpan): void {
  const status = fields[ATTRIBUTES.httpStatus]
  const isMessaging = fields[ATTRIBUTES.messagingSystem] !== undefined
  const topic = fields[ATTRIBUTES.messagingDestination]
  fields['processor.event'] = 'transaction'
  fields['transaction.id'] = span.spanContext().spanId
  fields['transaction.name'] = span.name
  fields['transaction.root'] = span.parentSpanContext === undefined
  fields['transaction.sampled'] = true
  fields['transaction.type'] = status !== undefined ? 'request' : isMessaging ? 'messaging' : 'unknown'
  fields['transaction.result'] =
    typeof status === 'number'
      ? `HTTP ${Math.floor(status / 100)}xx`
      : fields['event.outcome'] === 'failure'
        ? 'Error'
        : 'Success'
  fields['transaction.duration.us'] = hrTimeToMicroseconds(span.duration)
  fields['transaction.representative_count'] = 1
  if (topic !== undefined) fields['transaction.message.queue.name'] = topic
}

function addSpan(fields: Attributes, span: ReadableSpan): void {
  const [type, subtype, target] = targetOf(fields)
  fields['span.type'] = type
  fields['span.subtype'] = subtype
  fields['span.duration.us'] = hrTimeToMicroseconds(span.duration)
  fields['span.representative_count'] = 1
  const action = fields[ATTRIBUTES.messagingOperationName]
  const topic = fields[ATTRIBUTES.messagingDestination]
  if (action !== undefined) fields['span.action'] = action
  if (topic !== undefined) fields['span.message.queue.name'] = topic
  if (target === undefined) return
  fields['service.target.type'] = subtype
  fields['service.target.name'] = target
  fields['span.destination.service.resource'] = type === 'messaging' ? `${subtype}/${target}` : target
}

/** @returns type, subtype and whom the span calls */
function targetOf(fields: Attributes): [string, string, string?] {
  const database = fields[ATTRIBUTES.dbSystem]
  if (database !== undefined) return ['db', String(database), String(database)]
  const system = fields[ATTRIBUTES.messagingSystem]
  if (system !== undefined)
    return ['messaging', String(system), String(fields[ATTRIBUTES.messagingDestination] ?? system)]
  const address = fields[ATTRIBUTES.serverAddress]
  return address !== undefined ? ['external', 'http', String(address)] : ['app', 'internal']
}

/** Of the resource. */
export function apmResource(attributes: Attributes): Attributes {
  const environment = attributes['deployment.environment.name']
  return {
    'agent.name': 'opentelemetry/nodejs',
    'agent.version': attributes['telemetry.sdk.version'],
    ...(environment !== undefined && { 'deployment.environment': environment }),
  }
}
