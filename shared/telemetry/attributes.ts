/**
 * Every attribute name of our spans and logs. The first part is OpenTelemetry's (messaging is still in development
 * there, so its names are pinned here and nowhere else); what starts with `freshet.` is ours.
 */
export const ATTRIBUTES = {
  errorType: 'error.type',
  eventName: 'event.name',
  exceptionMessage: 'exception.message',
  exceptionStacktrace: 'exception.stacktrace',
  serverAddress: 'server.address',
  serverPort: 'server.port',

  messagingSystem: 'messaging.system',
  messagingOperationName: 'messaging.operation.name',
  messagingOperationType: 'messaging.operation.type',
  messagingDestination: 'messaging.destination.name',
  /** A string, as the conventions have it. */
  messagingPartition: 'messaging.destination.partition.id',
  messagingGroup: 'messaging.consumer.group.name',
  messagingBatchMessages: 'messaging.batch.message_count',
  messagingOffset: 'messaging.kafka.offset',

  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',

  dbSystem: 'db.system.name',
  dbOperation: 'db.operation.name',
  dbCollection: 'db.collection.name',

  pipeline: 'freshet.pipeline',
  /** `capture`, `infer`, `cache`, `snapshot`, … */
  stage: 'freshet.stage',
  hint: 'freshet.hint',
  key: 'freshet.key',
  /** JSON pointer into a document. */
  field: 'freshet.field',
  shard: 'freshet.shard',
  model: 'freshet.model',
  modelGeneration: 'freshet.model.generation',
  rows: 'freshet.rows',
  deadRows: 'freshet.dead.rows',
  lagRecords: 'freshet.lag.records',
  lagSeconds: 'freshet.lag.seconds',
  answerSource: 'freshet.answer.source',
  answerAgeMs: 'freshet.answer.age_ms',
  answerDegraded: 'freshet.answer.degraded',
  answerReason: 'freshet.answer.reason',
} as const

/**
 * Attributes that may be fractional. They need a mapping of their own: one that was mapped by a first whole number
 * would index every later fraction rounded down, silently.
 */
export const FRACTIONAL_ATTRIBUTES: readonly string[] = [ATTRIBUTES.lagSeconds, ATTRIBUTES.answerAgeMs]

/** The version of OpenTelemetry's conventions that these names are from. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.37.0'
