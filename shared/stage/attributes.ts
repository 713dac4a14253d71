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

  /** `elasticsearch` or `redis`. */
  dbSystem: 'db.system.name',
  dbOperation: 'db.operation.name',
  dbCollection: 'db.collection.name',
  dbBatchRows: 'db.operation.batch.size',

  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',

  /** `capture`, `infer`, `cache`, `snapshot`, … */
  stage: 'freshet.stage',
  /** What to do about an error, from the table of errors. */
  hint: 'freshet.hint',
  /** As it is, or hashed (telemetry.keySalt). */
  key: 'freshet.key',
  /** Of a document's own span: whose document it is. */
  pipeline: 'freshet.pipeline',
  /** Of a document's own span: `sample`, or `order` when somebody named it. */
  traceReason: 'freshet.trace.reason',
  /** `capture`, `score`, `cache`, `snapshot` or `answer`: what one document's own span stands for. */
  documentStep: 'freshet.document.step',
  /** Epoch of the capture that saw the document: it rises when a shard is read again. */
  epoch: 'freshet.document.epoch',
  /** `_primary_term` of the document in Elasticsearch. */
  primaryTerm: 'freshet.document.primary_term',
  /** `_seq_no` of the document in Elasticsearch. */
  seqNo: 'freshet.document.seq_no',
  /** Since the poller saw the document until the end of the step. */
  documentAgeMs: 'freshet.document.age_ms',
  /** `captured`, `scored`, `deleted` or `unscorable`. */
  documentState: 'freshet.document.state',
  /** JSON pointer into a document. */
  field: 'freshet.field',
  /** The index that documents are captured from. */
  sourceIndex: 'freshet.source.index',
  /** Its shard. */
  sourceShard: 'freshet.source.shard',
  /** Shards of ours in which there was something to read. */
  dueShards: 'freshet.source.due_shards',
  /** `name@version`. */
  model: 'freshet.model',
  /** Counts promotions. */
  modelGeneration: 'freshet.model.generation',
  /** Threads that run the model. */
  modelThreads: 'freshet.model.threads',
  /** Rows in one call of the model. */
  modelRunRows: 'freshet.model.run_rows',
  /** Rows, documents or answers that the line or span speaks of. */
  rows: 'freshet.rows',
  /** Of these, those that went to the dead letters. */
  deadRows: 'freshet.dead.rows',

  /** Where an answer came from: `live`, `cache`, `snapshot` or `default`. */
  answerSource: 'freshet.answer.source',
  /** How old the document was that the answer speaks of. */
  answerAgeMs: 'freshet.answer.age_ms',
  /** Whether a better source should have given it. */
  answerDegraded: 'freshet.answer.degraded',
  /** Why, if so. */
  answerReason: 'freshet.answer.reason',
  /** Whether it came after its deadline. */
  answerLate: 'freshet.answer.late',
  /** From when the request was accepted until its answer was there, in microseconds. */
  answerTookUs: 'freshet.answer.took_us',
  /** Answers since the line before that were not logged. */
  answersLeftOut: 'freshet.answer.left_out',

  /** Same trouble, same id. */
  alertId: 'freshet.alert.id',
  /** `firing`, `flapping`, `reminder` or `resolved`. */
  alertChange: 'freshet.alert.change',
  /** What is known of the trouble, in one line. */
  alertDetails: 'freshet.alert.details',

  /** From then on telemetry was not taken. */
  gapFrom: 'freshet.gap.from',
  /** Until then. */
  gapTo: 'freshet.gap.to',
  /** So many documents were dropped meanwhile. */
  gapDropped: 'freshet.gap.dropped',

  /** How often the same was tried before. */
  attempt: 'freshet.attempt',
  /** The same lines since the last one that was written. */
  linesLeftOut: 'freshet.kafka.lines_left_out',
  /** Messages that Kafka forgot before they were read. */
  missingMessages: 'freshet.kafka.missing_messages',
  /** How often the client of Kafka has tried. */
  kafkaRetries: 'freshet.kafka.retry_count',
  /** Calls of Redis that were still open. */
  redisCallsLeft: 'freshet.redis.calls_left',
} as const

export type AttributeName = (typeof ATTRIBUTES)[keyof typeof ATTRIBUTES]

/** The version of OpenTelemetry's conventions that these names are from. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.37.0'
