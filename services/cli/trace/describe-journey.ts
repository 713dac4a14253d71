import { ATTRIBUTES, type AttributeName } from '@freshet/stage/attributes.ts'
import { formatCount, formatSeconds } from '@freshet/watchdog/format.ts'
import { harmlessLines, table, timeOf } from '../text.ts'
import type { Journey, SeenStep } from './journey.ts'

/** Journeys as a person reads them, the newest last. @param most that are shown */
export function describeJourneys(key: string, journeys: readonly Journey[], most: number): string {
  const shown = journeys.slice(-most)
  const left = journeys.length - shown.length
  const before = left === 0 ? [] : [`${formatCount(left)} earlier ones are left out; --all shows them`, '']
  return harmlessLines([...before, ...shown.flatMap((journey) => describeJourney(key, journey))])
}

function describeJourney(key: string, { steps, seqNo, traceId, missing }: Journey): string[] {
  const what = seqNo === null ? 'asked for, without a stored score' : `change ${seqNo}`
  const from = steps[0]!.beganAtMs
  return [
    `${key}: ${what}, ${timeOf(from)}`,
    ...table(
      steps.map((step) => [
        `+${span(step.beganAtMs - from)}`,
        step.step,
        `took ${span(step.tookMs)}`,
        step.instance,
        wordsOf(step),
      ]),
      5,
    ),
    ...(missing.length === 0 ? [] : [`  not seen yet: ${missing.join(', ')}`]),
    `  trace ${traceId}`,
    '',
  ]
}

/** What is worth knowing of a step, beside when and where. */
function wordsOf({ step, attributes, ageMs, failure }: SeenStep): string {
  if (failure !== null) return `set aside: ${failure.code}, ${failure.message}`
  const text = (name: AttributeName) => String(attributes[name] ?? '?')
  const state = attributes[ATTRIBUTES.documentState]
  switch (step) {
    case 'capture':
      return state === 'deleted'
        ? 'a delete, sent to Kafka'
        : `from ${text(ATTRIBUTES.sourceIndex)}, sent to Kafka`
    case 'score':
      return state === 'deleted'
        ? 'a delete, passed on'
        : `by ${text(ATTRIBUTES.model)}, ${placeOf(attributes)}`
    case 'cache':
      return `in Redis ${span(ageMs)} after it was seen`
    case 'snapshot':
      return `in the snapshot ${span(ageMs)} after it was seen`
    case 'answer':
      return answerWords(attributes)
    default:
      return ''
  }
}

function placeOf(attributes: SeenStep['attributes']): string {
  const partition = attributes[ATTRIBUTES.messagingPartition]
  return `partition ${partition} offset ${attributes[ATTRIBUTES.messagingOffset]}`
}

function answerWords(attributes: SeenStep['attributes']): string {
  const source = attributes[ATTRIBUTES.answerSource]
  const age = attributes[ATTRIBUTES.answerAgeMs]
  const reason = attributes[ATTRIBUTES.answerReason]
  return [
    `${attributes[ATTRIBUTES.httpStatus]}`,
    source === undefined ? 'no score' : `from ${source}`,
    ...(typeof age === 'number' ? [`${span(age)} old`] : []),
    ...(reason === undefined ? [] : [`since ${reason}`]),
  ].join(', ')
}

/** A time of which milliseconds matter while there are few of them. */
function span(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : formatSeconds(ms / 1_000)
}

/** When nothing has come, or not all: what it means and what would bring something. */
export function describeWaiting(
  key: string,
  journeys: readonly Journey[],
  { orderedAtMs, untilMs }: { readonly orderedAtMs: number; readonly untilMs: number },
): string {
  const isNew = journeys.some(({ steps }) => steps.some(({ beganAtMs }) => beganAtMs >= orderedAtMs))
  const until = `${timeOf(untilMs)}`
  if (isNew) return harmlessLines([`${key} is traced until ${until}; ask again for what comes until then.`])
  return harmlessLines([
    `Since ${timeOf(orderedAtMs)} nothing of ${key} was seen: it was not changed, and nobody asked the gateway for it.`,
    `It is traced until ${until}. Change it in Elasticsearch, or ask for GET /v1/scores/${encodeURI(key)}, then ask again here.`,
    'Is the key right? `freshet lookup` knows it when it was ever scored. Do poller, scorer and gateway run? `freshet status` says so.',
  ])
}
