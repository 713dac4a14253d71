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
  const attributes = { ...span.attributes, ...apmFields(span) }
  return Object.create(span, { attributes: { value: attributes, enumerable: true } }) as ReadableSpan
}

export function apmFields(span: ReadableSpan): Attributes {
  const { parentSpanContext: parent, kind } = span
  const isRoot = parent === undefined
  const isExit = kind === SpanKind.CLIENT || kind === SpanKind.PRODUCER
  const outcome = span.status.code === SpanStatusCode.ERROR ? 'failure' : 'success'
  const common = {
    'timestamp.us': hrTimeToMicroseconds(span.startTime),
    'event.outcome': outcome,
    'event.success_count': outcome === 'success' ? 1 : 0,
  }
  const isTransaction = isRoot || parent.isRemote === true
  return {
    ...common,
    ...(isTransaction && transactionFields(span, isRoot)),
    ...((!isTransaction || (isRoot && isExit)) && spanFields(span, isTransaction)),
  }
}

function transactionFields(span: ReadableSpan, isRoot: boolean): Attributes {
  const system = span.attributes[ATTRIBUTES.messagingSystem]
  const status = span.attributes[ATTRIBUTES.httpStatus]
  const topic = span.attributes[ATTRIBUTES.messagingDestination]
  const type = status !== undefined ? 'request' : system !== undefined ? 'messaging' : 'unknown'
  const plainResult = span.status.code === SpanStatusCode.ERROR ? 'Error' : 'Success'
  return {
    'processor.event': 'transaction',
    'transaction.id': span.spanContext().spanId,
    'transaction.name': span.name,
    'transaction.root': isRoot,
    'transaction.sampled': true,
    'transaction.type': type,
    'transaction.result': typeof status === 'number' ? `HTTP ${Math.floor(status / 100)}xx` : plainResult,
    'transaction.duration.us': hrTimeToMicroseconds(span.duration),
    'transaction.representative_count': 1,
    ...(topic !== undefined && { 'transaction.message.queue.name': topic }),
  }
}

function spanFields(span: ReadableSpan, isTransaction: boolean): Attributes {
  const { attributes } = span
  const [system, topic, database, address] = [
    attributes[ATTRIBUTES.messagingSystem],
    attributes[ATTRIBUTES.messagingDestination],
    attributes['db.system.name'],
    attributes[ATTRIBUTES.serverAddress],
  ]
  const [type, subtype, resource] =
    database !== undefined
      ? ['db', database, database]
      : system !== undefined
        ? ['messaging', system, topic === undefined ? system : `${system}/${topic}`]
        : address !== undefined
          ? ['external', 'http', address]
          : ['app', 'internal', undefined]
  return {
    ...(!isTransaction && { 'processor.event': 'span' }),
    'span.type': type,
    'span.subtype': subtype,
    'span.duration.us': hrTimeToMicroseconds(span.duration),
    'span.representative_count': 1,
    ...(attributes[ATTRIBUTES.messagingOperationName] !== undefined && {
      'span.action': attributes[ATTRIBUTES.messagingOperationName],
    }),
    ...(topic !== undefined && { 'span.message.queue.name': topic }),
    ...(resource !== undefined && {
      'service.target.type': subtype,
      'service.target.name': topic ?? address ?? database,
      'span.destination.service.resource': resource,
    }),
  } as Attributes
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
