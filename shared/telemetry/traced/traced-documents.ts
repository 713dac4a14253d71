import type { Buffer } from 'node:buffer'
import type { TraceContext } from '@freshet/records/change.ts'
import type { Revision } from '@freshet/records/revision.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { linksTo } from '../spans.ts'
import type { ChosenIds } from './chosen-ids.ts'
import { type DocumentNames, type Step, stepSpanId } from './document-names.ts'
import { OrderedKeys } from './ordered-keys.ts'
import { isSampled, sampleBelow } from './sample.ts'

/** It is of the sample, or somebody named it. */
export type TraceReason = 'sample' | 'order'

/** Rows as batches hold them, column by column; key i is `keys[keyOffsets[i] .. keyOffsets[i + 1]]`. */
export interface TraceableRows {
  readonly count: number
  readonly keys: Uint8Array
  readonly keyOffsets: Uint32Array
  readonly seqNos: Float64Array
}

export interface TracedRow {
  readonly row: number
  readonly reason: TraceReason
}

/** A step that a traced document has behind it. */
export interface DocumentStep {
  readonly step: Step
  readonly reason: TraceReason
  readonly key: string
  /** null: of no revision that is known, so in a trace of its own. */
  readonly revision: Revision | null
  /** Of the model whose score it is; 0 before there is one. */
  readonly generation: number
  /** When the poller saw the document, and when the step began and ended: wall-clock milliseconds. */
  readonly asOfMs: number
  readonly beganAtMs: number
  readonly endedAtMs: number
  /** The step before it on the document's way. */
  readonly after: Step | null
  /** The spans of the page, the batch or the request with which it was done. */
  readonly together: Iterable<TraceContext | null>
  readonly attributes?: Attributes
  /** Why the document goes no further. */
  readonly failure?: { readonly code: string; readonly message: string } | undefined
}

export interface TracedOptions {
  readonly tracer: Tracer
  /** Of the tracer. */
  readonly ids: ChosenIds
  readonly names: DocumentNames
  /** One change in so many; 0: none but those that are ordered. */
  readonly oneIn: number
  /** Nobody takes spans, so no document is traced whatever is ordered. */
  readonly isOff?: boolean
}

const NO_ROWS: readonly TracedRow[] = []
const KINDS: Partial<Record<Step, SpanKind>> = { capture: SpanKind.PRODUCER, answer: SpanKind.INTERNAL }

/**
 * The documents that leave a span at each step of their way, all in one trace whose id every service makes of the key and
 * the revision. Looking for them costs about a nanosecond a row; nothing is made unless one is found.
 */
export class TracedDocuments {
  readonly names: DocumentNames
  readonly orders = new OrderedKeys()
  readonly #tracer: Tracer
  readonly #ids: ChosenIds
  readonly #sampleBelow: number
  readonly #isOff: boolean

  constructor({ tracer, ids, names, oneIn, isOff = false }: TracedOptions) {
    this.names = names
    this.#tracer = tracer
    this.#ids = ids
    this.#sampleBelow = isOff ? 0 : sampleBelow(oneIn)
    this.#isOff = isOff
  }

  /** Whether anybody has named documents; to be asked once a batch, for `reasonOf`. */
  areOrdered(nowMs: number): boolean {
    return !this.#isOff && this.orders.areAny(nowMs)
  }

  /** The rows to be traced. Mostly none: then it is the same empty list. */
  rowsOf({ count, keys, keyOffsets, seqNos }: TraceableRows, nowMs: number): readonly TracedRow[] {
    const below = this.#sampleBelow
    const areOrdered = this.areOrdered(nowMs)
    if (below === 0 && !areOrdered) return NO_ROWS
    let found: TracedRow[] | undefined
    for (let row = 0; row < count; row++) {
      const isOrdered = areOrdered && this.orders.has(keys, keyOffsets[row]!, keyOffsets[row + 1]!)
      if (!isOrdered && !isSampled(seqNos[row]!, below)) continue
      found ??= []
      found.push({ row, reason: isOrdered ? 'order' : 'sample' })
    }
    return found ?? NO_ROWS
  }

  /** Of a single document; null: it is not traced. @param areOrdered as `areOrdered` said of its batch. */
  reasonOf(seqNo: number, key: Buffer | string, areOrdered: boolean): TraceReason | null {
    if (areOrdered) {
      const isOrdered =
        typeof key === 'string' ? this.orders.hasText(key) : this.orders.has(key, 0, key.length)
      if (isOrdered) return 'order'
    }
    return isSampled(seqNo, this.#sampleBelow) ? 'sample' : null
  }

  /** The span of a step. Of one that is done once for a revision it always has the same id. */
  leave(step: DocumentStep): void {
    const span = this.#start(step)
    if (step.failure !== undefined) {
      span.setAttribute(ATTRIBUTES.errorType, step.failure.code)
      span.setStatus({ code: SpanStatusCode.ERROR, message: step.failure.message })
    }
    span.end(Math.max(step.beganAtMs, step.endedAtMs))
  }

  #start(step: DocumentStep): Span {
    const { key, revision, generation } = step
    if (revision === null) return this.#startIn(ROOT_CONTEXT, step)
    const traceId = this.names.traceIdOf(key, revision)
    const parent = step.after === null ? ROOT_CONTEXT : spanOf(traceId, step.after, generation)
    // A document is asked for again and again; all else is done once.
    if (step.step === 'answer') return this.#startIn(parent, step)
    const spanId = stepSpanId(traceId, step.step, generation)
    return this.#ids.during({ traceId, spanId }, () => this.#startIn(parent, step))
  }

  #startIn(parent: Context, step: DocumentStep): Span {
    const { revision, generation } = step
    return this.#tracer.startSpan(
      `${step.step} document`,
      {
        kind: KINDS[step.step] ?? SpanKind.CONSUMER,
        startTime: step.beganAtMs,
        links: linksTo(step.together),
        attributes: {
          [ATTRIBUTES.documentStep]: step.step,
          [ATTRIBUTES.pipeline]: this.names.pipeline,
          [ATTRIBUTES.key]: this.names.shown(step.key),
          [ATTRIBUTES.traceReason]: step.reason,
          ...(revision !== null && {
            [ATTRIBUTES.epoch]: revision.epoch,
            [ATTRIBUTES.primaryTerm]: revision.primaryTerm,
            [ATTRIBUTES.seqNo]: revision.seqNo,
          }),
          [ATTRIBUTES.documentAgeMs]: Math.max(0, Math.round(step.endedAtMs - step.asOfMs)),
          ...(generation > 0 && { [ATTRIBUTES.modelGeneration]: generation }),
          ...step.attributes,
        },
      },
      parent,
    )
  }
}

function spanOf(traceId: string, step: Step, generation: number): Context {
  const spanId = stepSpanId(traceId, step, generation)
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  })
}
