/**
 * Every attribute name of our spans and logs. What starts with `freshet.` is ours; the rest is OpenTelemetry's
 * (messaging is still in development there, so its names are pinned here and nowhere else).
 *
 * Numbers are whole. Elasticsearch maps a name by the first number that it sees: one that may be fractional needs a
 * mapping of its own, or every fraction after a first whole number is indexed rounded down, silently.
 */
export const ATTRIBUTES = {
  errorType: 'error.type',
  eventName: 'event.name',
  exceptionMessage: 'exception.message',
  exceptionStacktrace: 'exception.stacktrace',
  processId: 'process.pid',
  serviceInstance: 'service.instance.id',
  serverAddress: 'server.address',
  url: 'url.full',

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

  /** `capture`, `infer`, `cache`, `snapshot`, … */
  stage: 'freshet.stage',
  hint: 'freshet.hint',
  key: 'freshet.key',
  /** JSON pointer into a document. */
  field: 'freshet.field',
  /** The index and the shard that documents are captured from. */
  sourceIndex: 'freshet.source.index',
  sourceShard: 'freshet.source.shard',
  /** `name@version`. */
  model: 'freshet.model',
  modelGeneration: 'freshet.model.generation',
  modelThreads: 'freshet.model.threads',
  /** Rows in one call of the model. */
  modelRunRows: 'freshet.model.run_rows',
  rows: 'freshet.rows',
  deadRows: 'freshet.dead.rows',

  answerSource: 'freshet.answer.source',
  answerAgeMs: 'freshet.answer.age_ms',
  answerDegraded: 'freshet.answer.degraded',
  answerReason: 'freshet.answer.reason',
  answerLate: 'freshet.answer.late',

  alertId: 'freshet.alert.id',
  /** `firing`, `reminder` or `resolved`. */
  alertChange: 'freshet.alert.change',
  /** What is known of the trouble, in one line. */
  alertDetails: 'freshet.alert.details',

  /** Between these times telemetry was not taken, and so many documents were dropped. */
  gapFrom: 'freshet.gap.from',
  gapTo: 'freshet.gap.to',
  gapDropped: 'freshet.gap.dropped',

  /** How often the same was tried before. */
  attempt: 'freshet.attempt',
  /** The same lines since the last one that was written. */
  linesLeftOut: 'freshet.kafka.lines_left_out',
  missingMessages: 'freshet.kafka.missing_messages',
  kafkaRetries: 'freshet.kafka.retry_count',
  redisCallsLeft: 'freshet.redis.calls_left',
} as const

export type AttributeName = (typeof ATTRIBUTES)[keyof typeof ATTRIBUTES]

/** The version of OpenTelemetry's conventions that these names are from. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.37.0'
