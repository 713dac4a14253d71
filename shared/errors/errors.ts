/**
 * Every error that Freshet raises on purpose, with the two things its reader needs: does a retry help, and what
 * to do. `docs/reference/errors.md` is this table printed.
 */
export const ERRORS = {
  // Settings and command line
  CONFIG_INVALID: {
    retryable: false,
    hint: 'Mend the named setting in freshet.yaml or its environment variable.',
  },
  CONFIG_MISSING: { retryable: false, hint: 'Create freshet.yaml, or name one with --config.' },
  USAGE: { retryable: false, hint: 'See `freshet --help`.' },
  RULES_INVALID: {
    retryable: false,
    hint: 'Mend the named file of rules: docs/reference/alerts.md lists them with what each may say.',
  },

  // Backing services (`freshet up`)
  TOOL_MISSING: { retryable: false, hint: 'Install the named tool, or use Docker.' },
  DOWNLOAD_FAILED: {
    retryable: true,
    hint: 'Check the network and run `freshet up` again; what is there is kept.',
  },
  SERVICE_START_FAILED: {
    retryable: true,
    hint: 'Mend what the message or the named log file says, then run `freshet up` again.',
  },
  SERVICE_STOP_FAILED: {
    retryable: true,
    hint: 'Stop the named process yourself, then run `freshet down` again.',
  },
  HOME_BUSY: {
    retryable: true,
    hint: 'Another `freshet up` or `down` works on this folder; wait for it, or end it.',
  },

  // Elasticsearch
  ELASTICSEARCH_UNREACHABLE: { retryable: true, hint: 'Check elasticsearch.url and that the server runs.' },
  ELASTICSEARCH_UNAUTHORIZED: {
    retryable: false,
    hint: 'Check elasticsearch.apiKey, or the user and password in elasticsearch.url; `freshet doctor` names the privileges that its role lacks.',
  },
  ELASTICSEARCH_REFUSED: { retryable: false, hint: 'The server refused the request for the reason given.' },
  TELEMETRY_BLOCKED: {
    retryable: true,
    hint: 'Telemetry waits, up to telemetry.maxQueuedBytes. Where a disk is full, make room; take the block away that the message names, as PUT <index>/_settings {"index.blocks.write": null}.',
  },
  COLLECTOR_UNREACHABLE: {
    retryable: true,
    hint: 'Check OTEL_EXPORTER_OTLP_ENDPOINT and that the OpenTelemetry Collector there takes OTLP over HTTP.',
  },
  INDEX_MISSING: { retryable: false, hint: 'Create the index, or mend elasticsearch.index.' },
  INDEX_NOT_CAPTURABLE: {
    retryable: false,
    hint: 'Freshet needs _source and sequence numbers; see docs/capture.md.',
  },
  INDEX_BLOCKED: {
    retryable: true,
    hint: 'Take the block away that the message names, as PUT <index>/_settings {"index.blocks.read": false}; capture then goes on.',
  },
  SHARD_UNAVAILABLE: {
    retryable: true,
    hint: 'Wait until the primary shard is started; the cursor stays where it is.',
  },
  SEARCH_PARTIAL: { retryable: true, hint: 'Read again. If it stays, look at the shards of the index.' },
  PAGE_TOO_LARGE: {
    retryable: true,
    hint: 'Read again with fewer rows. If even one is too large, raise the heap of the server, or index.max_result_window.',
  },
  HIT_MALFORMED: {
    retryable: false,
    hint: 'The response is not what Elasticsearch documents; report it with the version.',
  },

  // Kafka
  KAFKA_UNREACHABLE: { retryable: true, hint: 'Check kafka.brokers and that the brokers run.' },
  KAFKA_UNAUTHORIZED: {
    retryable: false,
    hint: 'Check kafka.user, kafka.password and kafka.saslMechanism, and the rights on topics and groups.',
  },
  KAFKA_REFUSED: { retryable: false, hint: 'The broker refused the request for the reason given.' },
  KAFKA_PRODUCE_DEADLINE: {
    retryable: true,
    hint: 'The brokers did not take the batch in time; services send it again.',
  },
  ORDER_NOT_GIVEN: {
    retryable: true,
    hint: 'Nothing is known to be ordered. Check kafka.brokers and that the brokers run, then try again.',
  },
  KAFKA_MESSAGE_TOO_LARGE: {
    retryable: false,
    hint: 'Raise message.max.bytes on the broker and topic, or keep such documents out.',
  },
  KAFKA_STALE: { retryable: true, hint: 'Another member has the partition now; nothing is to be done.' },
  KAFKA_STALLED: {
    retryable: true,
    hint: 'The consumer is built anew. If it stays, look at what its handler waits for, and at the brokers.',
  },
  KAFKA_CORRUPT: {
    retryable: true,
    hint: 'It is read again. If it stays, a disk of the broker is at fault: let a whole replica lead, or delete the records up to there.',
  },
  TOPIC_MISSING: {
    retryable: false,
    hint: 'Run `freshet bootstrap` (`freshet up` does it too): it makes what is missing and leaves the rest. Or create the topics as docs/reference/topics.md says.',
  },
  TOPIC_POLICY: { retryable: false, hint: 'Alter the topic as the message says, then start again.' },

  // Records
  RECORD_VERSION: {
    retryable: false,
    hint: 'Upgrade the service that reads: it is older than the one that wrote.',
  },
  RECORD_OUTDATED: {
    retryable: false,
    hint: 'Upgrade the service that wrote: it is older than the oldest that this one reads.',
  },
  RECORD_MALFORMED: {
    retryable: false,
    hint: 'The bytes are not what the format says; look at who else writes there.',
  },

  // Redis
  REDIS_UNREACHABLE: { retryable: true, hint: 'Check redis.url and that the server runs.' },
  REDIS_UNAUTHORIZED: { retryable: false, hint: 'Check the user and password in redis.url.' },
  REDIS_REFUSED: {
    retryable: true,
    hint: 'Redis answers with an error (memory full, read-only): mend it there.',
  },
  REDIS_WRONG_TYPE: {
    retryable: true,
    hint: 'Something else writes there: see what, then delete the named key with DEL; Freshet writes it anew.',
  },
  REDIS_LOST_DATA: {
    retryable: true,
    hint: 'Redis lost data while it was refilled, and is refilled again. If it stays, see whether something flushes or restarts it.',
  },
  REDIS_FILLING: {
    retryable: true,
    hint: 'A scorer is bringing all scores back to Redis, and none of this key has come yet: see `freshet status`. Where no scorer with the worker `cache` runs, start one, or run `freshet refill`.',
  },
  REDIS_COLLATION: {
    retryable: false,
    hint: 'Start Redis with LC_ALL=C: its string order is not byte order.',
  },

  // S3
  S3_UNREACHABLE: { retryable: true, hint: 'Check s3.endpoint and that the server runs.' },
  S3_UNAUTHORIZED: { retryable: false, hint: 'Check the access key and its rights on the bucket.' },
  S3_REFUSED: { retryable: false, hint: 'The store refused the request for the reason given.' },
  BUCKET_MISSING: { retryable: false, hint: 'Create the bucket, or mend s3.bucket.' },
  OBJECT_MISSING: { retryable: false, hint: 'The object was deleted or never written.' },
  OBJECT_CHANGED: { retryable: true, hint: 'Another writer was faster; read again.' },
  UPLOAD_GONE: { retryable: true, hint: 'An upload took so long that it was given up; it is begun again.' },

  // Models
  MODEL_MISSING: { retryable: true, hint: 'Push and promote a model: `freshet model push <folder>`.' },
  MODEL_FILE_MISSING: {
    retryable: false,
    hint: 'Name a folder that holds model.onnx, model.json and golden.ndjson.',
  },
  MODEL_INVALID: {
    retryable: false,
    hint: 'Mend the file that the message names (model.json unless it says another), then push again.',
  },
  MODEL_HASH: {
    retryable: false,
    hint: 'model.onnx is not the file that model.json names: if the one in the store was damaged, push the same folder again, then `freshet model promote --again`; else push the right files under a new version, and promote that.',
  },
  MODEL_GOLDEN: {
    retryable: false,
    hint: 'The model does not score its golden rows as its author did; do not promote it.',
  },
  MODEL_VERSION_TAKEN: {
    retryable: false,
    hint: 'A pushed version never changes: give model.json another version.',
  },
  MODEL_NOT_IMPORTABLE: {
    retryable: false,
    hint: 'Export the model as the message says, or write model.json by hand: see docs/models.md.',
  },
  MODEL_NOT_CURRENT: {
    retryable: false,
    hint: 'Promote it without --again, or leave name and version out: `freshet model current` shows what is current.',
  },
  MODEL_GENERATION_BEHIND: {
    retryable: false,
    hint: 'models/current.json was lost or put back, so what it promotes has no effect on what is stored: `freshet model promote --again --above <generation>` with the one in use, or a higher one that `freshet verify` names.',
  },
  MODEL_NO_PREVIOUS: {
    retryable: false,
    hint: 'Promote the version that you want: `freshet model list` shows those that are pushed.',
  },
  MODEL_RUN_FAILED: {
    retryable: true,
    hint: 'The inference worker is started again; if it stays, check the model.',
  },

  // Documents that cannot be captured (dead letters)
  KEY_MISSING: {
    retryable: false,
    hint: 'Give the document the field that elasticsearch.key names, as text of at most 768 bytes or a whole number.',
  },
  VERSION_MISSING: {
    retryable: false,
    hint: 'Give the document the field that elasticsearch.versionField names, as a whole number from 0 to 2^53.',
  },
  DOCUMENT_TOO_LARGE: {
    retryable: false,
    hint: 'Keep such documents or their large fields out (elasticsearch.filter, elasticsearch.excludeFields), or raise max.message.bytes of the topics.',
  },

  // Documents that cannot be scored (dead letters)
  DOCUMENT_NOT_JSON: { retryable: false, hint: 'Mend the document in Elasticsearch.' },
  FIELD_MISSING: { retryable: false, hint: 'Mend the document, or give the column a default in model.json.' },
  FIELD_TYPE: { retryable: false, hint: 'Mend the document, or the column in model.json.' },
  SCORE_NOT_FINITE: { retryable: false, hint: 'The model answered NaN or infinity for this document.' },

  // Snapshots
  MANIFEST_FENCED: {
    retryable: true,
    hint: 'Another snapshot worker has the partition; this one stops writing.',
  },
  SNAPSHOT_FILE_MISSING: {
    retryable: false,
    hint: 'Put the file back from a copy of the bucket; without one: `freshet snapshot check`, `freshet snapshot drop`, then `freshet model promote --again`.',
  },
  SNAPSHOT_CORRUPT: {
    retryable: false,
    hint: 'The file is damaged: put it back from a copy of the bucket; without one: `freshet snapshot check`, `freshet snapshot drop`, then `freshet model promote --again`.',
  },

  // Gateway
  QUEUE_FULL: {
    retryable: true,
    hint: 'Too much at once: a caller of the gateway is answered from the next store, all else is tried again.',
  },
  DEADLINE: {
    retryable: true,
    hint: 'Ask again, with more time where you set it (gateway.deadlineMs, --deadline); if it stays, see `freshet status` and `freshet doctor` for which store is slow or away.',
  },
  WORKER_ENDED: {
    retryable: true,
    hint: 'A process of the gateway ended unasked, or stood still and was killed; it is started anew, and its log has the reason. The others answer meanwhile.',
  },
  OVERLOADED: {
    retryable: true,
    hint: 'The gateway answers what it can answer in time. Ask again after `Retry-After`, or run more workers.',
  },
  PORT_TAKEN: {
    retryable: false,
    hint: 'Stop what listens there, or set another port: gateway.port, watchdog.pagePort.',
  },
  API_KEY_REFUSED: {
    retryable: false,
    hint: 'Send a key of gateway.keys as `authorization: Bearer …` or `x-api-key`.',
  },
  SCOPE_MISSING: {
    retryable: false,
    hint: 'Ask with another key, or give this one the scope: `scopes` of its entry in gateway.keys.',
  },
  RATE_LIMITED: {
    retryable: true,
    hint: 'Wait as long as `retry-after` says, or raise requestsPerSecond or burst of the key in gateway.keys.',
  },
  HOST_REFUSED: {
    retryable: false,
    hint: 'Ask for 127.0.0.1 or localhost, name the host in gateway.hosts, or configure gateway.keys.',
  },
  REQUEST_INVALID: { retryable: false, hint: 'Mend the request as the message says.' },
  REQUEST_TOO_LARGE: { retryable: false, hint: 'Send less at once, or raise gateway.maxBodyBytes.' },
  HEADERS_TOO_LARGE: { retryable: false, hint: 'Send fewer or shorter headers.' },
  MEDIA_TYPE_UNSUPPORTED: {
    retryable: false,
    hint: 'Send JSON in UTF-8 as it is, with `content-type: application/json`.',
  },
  TRANSFER_CODING_UNSUPPORTED: {
    retryable: false,
    hint: 'Send the body plain, or with `transfer-encoding: chunked` alone.',
  },
  ROUTE_UNKNOWN: { retryable: false, hint: '/docs and /openapi.json name everything that can be asked for.' },
  METHOD_NOT_ALLOWED: { retryable: false, hint: 'Ask with a method that the `allow` header names.' },
  TEMPLATE_UNKNOWN: { retryable: false, hint: 'Name a template that stands in gateway.rank.templates.' },
  POOL_UNKNOWN: {
    retryable: true,
    hint: 'Elasticsearch did not name the documents in time, and never has for this query: ask again in a second.',
  },
  KEY_UNKNOWN: {
    retryable: false,
    hint: 'No document of that key was scored yet, or it was deleted.',
  },

  // Ways to people
  SLACK_REFUSED: {
    retryable: false,
    hint: 'Make a new webhook for the channel and set slack.webhookUrl, or open the channel again: it is tried every ten minutes. Meanwhile messages go to alerts.webhook.url, else to the log.',
  },
  SLACK_UNREACHABLE: {
    retryable: true,
    hint: 'Messages are sent again; after alerts.fallbackSeconds they go to alerts.webhook.url, and to the log.',
  },
  WEBHOOK_REFUSED: {
    retryable: false,
    hint: 'Check alerts.webhook.url and its headers: it is tried every ten minutes. Meanwhile messages go to the log.',
  },
  WEBHOOK_UNREACHABLE: {
    retryable: true,
    hint: 'Messages are sent again; after alerts.fallbackSeconds they go to the log too.',
  },
  ALERT_NOT_TOLD: {
    retryable: false,
    hint: 'The message is in the log. Mend slack.webhookUrl or alerts.webhook.url; `freshet alerts` shows what fires.',
  },

  // Kibana
  KIBANA_UNREACHABLE: {
    retryable: true,
    hint: 'Check kibana.url and that Kibana runs, then run `freshet kibana import`; a certificate of your own goes into NODE_EXTRA_CA_CERTS.',
  },
  KIBANA_UNAUTHORIZED: {
    retryable: false,
    hint: 'Check kibana.apiKey, or the user and password in kibana.url: they must be allowed to manage saved objects in that space.',
  },
  KIBANA_REFUSED: {
    retryable: false,
    hint: 'Mend what the message says; Kibana 8.9 or later is needed. `freshet kibana export` writes the file for an import by hand.',
  },

  BUG: { retryable: false, hint: 'This should not happen: report it with the log.' },
} as const satisfies Record<string, { retryable: boolean; hint: string }>

export type ErrorCode = keyof typeof ERRORS

export class FreshetError extends Error {
  override readonly name = 'FreshetError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }

  /** What the reader can do about it. */
  get hint(): string {
    return ERRORS[this.code].hint
  }
}

export function isFreshetError(error: unknown, code?: ErrorCode): error is FreshetError {
  return error instanceof FreshetError && (code === undefined || error.code === code)
}

/** Anything thrown, as one of ours: what is not known is a bug and keeps its cause. */
export function toFreshetError(error: unknown): FreshetError {
  if (error instanceof FreshetError) return error
  return new FreshetError('BUG', error instanceof Error ? error.message : String(error), { cause: error })
}

/** One line for people: code, message, what to do. No stack. */
export function describeError(error: unknown): string {
  const known = toFreshetError(error)
  return `${known.code}: ${known.message.replace(/\.$/, '')}. ${known.hint}`
}
