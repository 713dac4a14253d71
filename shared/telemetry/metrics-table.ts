import { ANSWER_SOURCES } from '@freshet/records/answer.ts'
import { REASONS, type Reason } from '@freshet/records/reasons.ts'
import { ATTRIBUTES, type AttributeName } from '@freshet/stage/attributes.ts'

/**
 * Every metric of Freshet: unit, labels, help. `docs/reference/metrics.md` is this table printed. A counter exists at 0
 * from the start, so a graph shows zero and not "no data".
 */
export interface MetricSpec {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** UCUM, as OpenTelemetry asks: `s`, `By`, `{document}`. */
  readonly unit: string
  /** Label, if there is one, and its possible values; null: whatever there is, up to MAX_OPEN_LABELS of them. */
  readonly label?: {
    readonly name: string
    readonly values: readonly string[] | null
    /** Its name in documents; `freshet.<name>` unless told. */
    readonly attribute?: AttributeName
  }
  /** Of a histogram: upper bounds of its buckets, rising, in its unit. */
  readonly bounds?: readonly number[]
  readonly help: string
}

/** Values of one label that are not known beforehand, such as the columns of a model: more are left out. */
export const MAX_OPEN_LABELS = 100

/** In seconds: close together around the deadline of an answer, wide where only "how bad" matters. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Stages that work in batches, as their spans call them. */
export const BATCH_STAGES = ['infer', 'rescore', 'cache', 'snapshot'] as const

export const METRICS = {
  'freshet.poller.changes': {
    kind: 'counter',
    unit: '{change}',
    help: 'Changes that Kafka has acknowledged.',
  },
  'freshet.poller.pages': { kind: 'counter', unit: '{page}', help: 'Pages read from Elasticsearch.' },
  'freshet.poller.pages_given_up': {
    kind: 'counter',
    unit: '{page}',
    help: 'Pages that were too large, and read again with fewer rows.',
  },
  'freshet.poller.dead': {
    kind: 'counter',
    unit: '{document}',
    help: 'Documents without a usable key or version, or too large for Kafka: they went to the dead letters.',
  },
  'freshet.poller.rewinds': {
    kind: 'counter',
    unit: '{rewind}',
    help: 'Shards read again after their identity changed.',
  },
  'freshet.poller.cursors_unusable': {
    kind: 'counter',
    unit: '{record}',
    help: 'Records of `.cursors` that are no cursor of a shard, and were passed over.',
  },
  'freshet.poller.shards': {
    kind: 'gauge',
    unit: '{shard}',
    help: 'Shards that this poller captures; those of all pollers make up the whole.',
  },
  'freshet.poller.unreadable': {
    kind: 'gauge',
    unit: '{shard}',
    help: 'Shards without a primary that can be read now, whoever captures them: each poller counts all.',
  },
  'freshet.poller.closed': {
    kind: 'gauge',
    unit: '{index}',
    help: 'Closed indices, whose capture is paused: each poller counts all.',
  },
  'freshet.poller.gone': {
    kind: 'gauge',
    unit: '{index}',
    help: 'Indices that are gone and whose keys are still to be deleted.',
  },
  'freshet.poller.refused': {
    kind: 'gauge',
    unit: '{index}',
    help: 'Indices that cannot be captured as they are: each poller counts all.',
  },
  'freshet.poller.behind': {
    kind: 'gauge',
    unit: '{operation}',
    help: 'Sequence numbers between cursors and checkpoints, of the shards that this poller captures.',
  },
  'freshet.sweep.sweeps': {
    kind: 'counter',
    unit: '{sweep}',
    label: { name: 'result', values: ['final', 'partial', 'failed'] },
    help: 'Sweeps for deletes; a partial one found what it could and is repeated.',
  },
  'freshet.sweep.tombstones': {
    kind: 'counter',
    unit: '{change}',
    help: 'Deletes that sweeps found and Kafka has acknowledged.',
  },
  'freshet.sweep.due': { kind: 'gauge', unit: '{shard}', help: 'Shards that wait for a sweep.' },
  'freshet.sweep.swept_at': {
    kind: 'gauge',
    unit: 's',
    help: 'When a shard of this poller last had a final sweep, since 1970; 0 before the first.',
  },
  'freshet.sweep.duration': { kind: 'gauge', unit: 's', help: 'Of the last sweep, waiting included.' },
  'freshet.scorer.scored': { kind: 'counter', unit: '{row}', help: 'Rows scored and acknowledged by Kafka.' },
  'freshet.scorer.deleted': { kind: 'counter', unit: '{row}', help: 'Deletes passed on.' },
  'freshet.scorer.dead': { kind: 'counter', unit: '{row}', help: 'Changes that went to the dead letters.' },
  'freshet.rescore.rows': {
    kind: 'counter',
    unit: '{row}',
    help: 'Rows scored again with a newly promoted model, and acknowledged by Kafka.',
  },
  'freshet.rescore.left': {
    kind: 'gauge',
    unit: '{change}',
    help: 'Changes that wait to be scored again, of all partitions: each scorer counts all.',
  },
  'freshet.rescore.total': {
    kind: 'gauge',
    unit: '{change}',
    help: 'Of which these were left when it began.',
  },
  'freshet.rescore.generation': {
    kind: 'gauge',
    unit: '{promotion}',
    help: 'The promotion with whose model is scored again, counted from 1.',
  },
  'freshet.rescore.began_at': {
    kind: 'gauge',
    unit: 's',
    help: 'When scoring again with it began, since 1970; 0 before.',
  },
  'freshet.drift.rows': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Fresh documents of the last hour that the figures of drift speak of.',
  },
  'freshet.drift.mean': {
    kind: 'gauge',
    unit: '1',
    label: { name: 'column', values: null },
    help: 'Mean of what the model was given in a column, where the field was there.',
  },
  'freshet.drift.missing': {
    kind: 'gauge',
    unit: '1',
    label: { name: 'column', values: null },
    help: 'Share of the documents without the field of a column.',
  },
  'freshet.drift.unknown': {
    kind: 'gauge',
    unit: '1',
    label: { name: 'column', values: null },
    help: 'Share of the documents with a text that is none of the column’s categories.',
  },
  'freshet.drift.psi': {
    kind: 'gauge',
    unit: '1',
    label: { name: 'output', values: null },
    help: 'Population stability index of the scores against the golden ones: above 0.25 they differ. Absent below 1,000 documents.',
  },
  'freshet.shadow.rows': {
    kind: 'counter',
    unit: '{row}',
    help: 'Rows that the shadow model was asked about, for comparison only.',
  },
  'freshet.shadow.failed': {
    kind: 'counter',
    unit: '{row}',
    help: 'Of these, rows without a score of the shadow; by reason in its report.',
  },
  'freshet.shadow.skipped': {
    kind: 'counter',
    unit: '{row}',
    help: 'Rows that the shadow was not asked about, because it was behind.',
  },
  'freshet.models_refused': {
    kind: 'counter',
    unit: '{promotion}',
    help: 'Promoted models that failed their hash, shapes or golden rows; the one before serves on.',
  },
  'freshet.scores_replaced': {
    kind: 'counter',
    unit: '{score}',
    help: 'Scores that the model gave as NaN or infinity, and that stand as model.json says (whenNotFinite).',
  },
  'freshet.batch.duration': {
    kind: 'histogram',
    unit: 's',
    label: { name: 'stage', values: BATCH_STAGES, attribute: ATTRIBUTES.stage },
    bounds: SECONDS,
    help: 'How long a batch took in a stage: scored, merged into Redis, written to deltas.',
  },
  'freshet.cache.rows': { kind: 'counter', unit: '{row}', help: 'Rows that Redis has stored or outranked.' },
  'freshet.cache.freshness': {
    kind: 'gauge',
    unit: 's',
    label: { name: 'quantile', values: null },
    help: 'From when the poller saw a document until Redis had its score: p50 and p99 of the rows of the last minute, up to a tenth above. Absent while nothing is new; what is scored again is not counted.',
  },
  'freshet.cache.refills': {
    kind: 'counter',
    unit: '{refill}',
    help: 'Times that this scorer has brought all scores to a Redis that had lost them.',
  },
  'freshet.cache.refilled': {
    kind: 'counter',
    unit: '{row}',
    help: 'Rows of the snapshot and of `.scores` brought to Redis by refills.',
  },
  'freshet.cache.refill_left': {
    kind: 'gauge',
    unit: '{row}',
    help: 'Rows of the snapshot that a refill has still to bring; 1 while it brings what came after the snapshot.',
  },
  'freshet.snapshot.rows': { kind: 'counter', unit: '{row}', help: 'Rows written to deltas.' },
  'freshet.snapshot.commits': { kind: 'counter', unit: '{commit}', help: 'Manifests written.' },
  'freshet.snapshot.merges': { kind: 'counter', unit: '{merge}', help: 'Bases written anew.' },
  'freshet.lag.time': {
    kind: 'gauge',
    unit: 's',
    label: { name: 'group', values: null, attribute: ATTRIBUTES.messagingGroup },
    help: 'How long the oldest message waits that a consumer group has not done with, over all partitions: each watchdog tells all groups.',
  },
  'freshet.lag.messages': {
    kind: 'gauge',
    unit: '{message}',
    label: { name: 'group', values: null, attribute: ATTRIBUTES.messagingGroup },
    help: 'Messages that a consumer group has not done with, those left out by compaction counted in: each watchdog tells all groups.',
  },
  'freshet.verify.ended': {
    kind: 'counter',
    unit: '{verification}',
    help: 'Verifications that came to an end, well or not.',
  },
  'freshet.verify.live': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Living documents, by the last verification.',
  },
  'freshet.verify.scored': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Of these, scored at their current revision by the current model.',
  },
  'freshet.verify.older_model': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Of these, scored at their current revision by an older model.',
  },
  'freshet.verify.newer_model': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Of these, scored by a generation above that of the promoted model: its pointer was lost or put back.',
  },
  'freshet.verify.set_aside': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Of these, in the dead letters at their current revision.',
  },
  'freshet.verify.without_key': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Of these, in the dead letters since they have no usable key.',
  },
  'freshet.verify.pending': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Of these, not captured after all the waiting.',
  },
  'freshet.verify.missing': { kind: 'gauge', unit: '{document}', help: 'Of these, without a score.' },
  'freshet.verify.stale': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Of these, with the score of an earlier revision.',
  },
  'freshet.verify.extra': {
    kind: 'gauge',
    unit: '{document}',
    help: 'Scores of documents that no longer live, after all the waiting.',
  },
  'freshet.verify.unreadable': {
    kind: 'gauge',
    unit: '{shard}',
    help: 'Shards of which the last verification could prove nothing.',
  },
  'freshet.gateway.snapshot.sequence': {
    kind: 'gauge',
    unit: '{commit}',
    help: 'Commit of the snapshot that the gateway holds.',
  },
  'freshet.gateway.snapshot.behind': {
    kind: 'gauge',
    unit: '{commit}',
    help: 'Commits that it has seen and does not hold yet.',
  },
  'freshet.gateway.snapshot.age': {
    kind: 'gauge',
    unit: 's',
    help: 'Time since the commit that it holds was written, at the last look.',
  },
  'freshet.gateway.snapshot.unseen': {
    kind: 'gauge',
    unit: 's',
    help: 'Time since it last held all that S3 had, at the last look; it grows while S3 is away.',
  },
  'freshet.gateway.snapshot.keys': { kind: 'gauge', unit: '{key}', help: 'Keys in memory, deletes too.' },
  'freshet.gateway.snapshot.memory': {
    kind: 'gauge',
    unit: 'By',
    help: 'Memory of tables, page indexes and pages.',
  },
  'freshet.gateway.snapshot.lookups': {
    kind: 'counter',
    unit: '{lookup}',
    label: { name: 'outcome', values: ['found', 'nothing', 'late', 'failed', 'refused'] },
    help: 'Lookups in files of the snapshot in S3, by how they ended.',
  },
  'freshet.answers': {
    kind: 'counter',
    unit: '{answer}',
    label: { name: 'source', values: ANSWER_SOURCES, attribute: ATTRIBUTES.answerSource },
    help: 'Answers, by where they came from.',
  },
  'freshet.answer.duration': {
    kind: 'histogram',
    unit: 's',
    label: {
      name: 'source',
      values: [...ANSWER_SOURCES, 'mixed', 'none'],
      attribute: ATTRIBUTES.answerSource,
    },
    bounds: SECONDS,
    help: 'From when a request was accepted until its answer was handed to the socket, by where the answer came from.',
  },
  'freshet.answers.degraded': {
    kind: 'counter',
    unit: '{answer}',
    label: { name: 'reason', values: Object.keys(REASONS) as Reason[], attribute: ATTRIBUTES.answerReason },
    help: 'Answers that a better source should have given, by why it did not.',
  },
  'freshet.requests.received': {
    kind: 'counter',
    unit: '{request}',
    help: 'Requests below /v1/, each once however many answers it asks for, with those that were refused.',
  },
  'freshet.requests.refused': {
    kind: 'counter',
    unit: '{request}',
    help: 'Requests refused with 503 at once, because more came in than could be answered in time.',
  },
  'freshet.gateway.workers_replaced': {
    kind: 'counter',
    unit: '{worker}',
    help: 'Processes of the gateway that ended unasked, or stood still and were killed, and were started anew.',
  },
  'freshet.pools': {
    kind: 'counter',
    unit: '{pool}',
    label: { name: 'found', values: ['fresh', 'last', 'none'] },
    help: 'Pools to be ranked, by whether Elasticsearch named them in time, had named them before, or neither.',
  },
  'freshet.answers.late': { kind: 'counter', unit: '{answer}', help: 'Answers after their deadline.' },
  'freshet.batches.untraced': {
    kind: 'counter',
    unit: '{batch}',
    help: 'Micro-batches without a span: more than telemetry.batchSpansPerSecond in a second.',
  },
  'freshet.requests.untraced': {
    kind: 'counter',
    unit: '{request}',
    help: 'Answers without a span that were to have one (degraded, late or failed, about a traced document, or of the share of good ones): more than telemetry.requestSpansPerSecond in a second.',
  },
  'freshet.gateway.not_admitted': {
    kind: 'counter',
    unit: '{request}',
    label: { name: 'reason', values: ['key', 'scope', 'rate', 'host'] },
    help: 'Requests that the gateway did not let in: no key of ours, a key for other things, one that asks too often, a foreign host.',
  },
  'freshet.telemetry.exported': {
    kind: 'counter',
    unit: '{document}',
    help: 'Spans, logs and documents of metrics that Elasticsearch, or the collector, has taken.',
  },
  'freshet.telemetry.dropped': {
    kind: 'counter',
    unit: '{document}',
    label: { name: 'reason', values: ['queue_full', 'refused', 'stopped'] },
    help: 'The same given up on, by reason.',
  },
  'freshet.alerts.firing': { kind: 'gauge', unit: '{alert}', help: 'Alerts that fire, silenced ones too.' },
  'freshet.alerts.held_back': {
    kind: 'counter',
    unit: '{alert}',
    help: 'Alerts that people were not told of, or not yet: silenced, in a time of maintenance, or they follow from another one. `freshet alerts list` shows them.',
  },
  'freshet.alerts.told': {
    kind: 'counter',
    unit: '{message}',
    label: { name: 'route', values: ['slack', 'webhook', 'log'] },
    help: 'Messages that people have, by the way they took; `log` counts only where no other way is set.',
  },
  'freshet.alerts.given_up': {
    kind: 'counter',
    unit: '{message}',
    help: 'Messages that no way to people has taken: they stand in the log and nowhere else.',
  },
  'freshet.alerts.daily': {
    kind: 'counter',
    unit: '{message}',
    help: 'Daily lines that people have.',
  },
  'freshet.alerts.pings': {
    kind: 'counter',
    unit: '{ping}',
    label: { name: 'outcome', values: ['answered', 'failed'] },
    help: 'Pings of alerts.pingUrl.',
  },
} as const satisfies Record<string, MetricSpec>

export type MetricName = keyof typeof METRICS

/** Metrics of which nobody knows beforehand what labels there are. */
export type OpenMetricName = {
  [Name in MetricName]: (typeof METRICS)[Name] extends { readonly label: { readonly values: null } }
    ? Name
    : never
}[MetricName]

/** Metrics of one kind. */
export type MetricNameOf<Kind extends MetricSpec['kind']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never
}[MetricName]

/** The name of a label among the attributes of documents. */
export function labelAttribute({ name, attribute }: NonNullable<MetricSpec['label']>): string {
  return attribute ?? `freshet.${name}`
}

/** The label that a count of the metric must name, as arguments: none for most. */
export type LabelOf<Name extends MetricName> = (typeof METRICS)[Name] extends {
  readonly label: { readonly values: readonly (infer Value)[] }
}
  ? [label: Value]
  : []
