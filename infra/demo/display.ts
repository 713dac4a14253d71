import type { Worker } from '@freshet/records/topics.ts'
import type { Callers } from './callers.ts'
import type { GatewayClient } from './gateway-client.ts'
import type { Pulse } from './pulse.ts'
import type { SlackReceiver } from './slack-receiver.ts'
import type { Tally } from './tally.ts'

const TTY_EVERY_MS = 1_000
const LINE_EVERY_MS = 5_000

export interface DisplayOptions {
  readonly tally: Tally
  readonly pulse: Pulse
  readonly callers: Callers
  /** Undefined where Slack is somebody else's. */
  readonly slack: SlackReceiver | undefined
  readonly gateway: GatewayClient
}

/** Shows the pipeline live on stderr: a panel that is redrawn on a terminal, else a line now and then. */
export function startDisplay(options: DisplayOptions): Disposable {
  const isTerminal = process.stderr.isTTY === true
  let drawnLines = 0
  const draw = () => {
    if (!isTerminal) {
      process.stderr.write(`${progressLine(options)}\n`)
      return
    }
    const lines = panel(options)
    process.stderr.write(`${drawnLines > 0 ? `\x1b[${drawnLines}A\x1b[J` : ''}${lines.join('\n')}\n`)
    drawnLines = lines.length
  }
  const timer = setInterval(draw, isTerminal ? TTY_EVERY_MS : LINE_EVERY_MS)
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      draw()
    },
  }
}

function progressLine({ tally, pulse }: DisplayOptions): string {
  const { freshnessMs } = tally
  return [
    `written ${tally.writes}, deleted ${tally.deletes}`,
    `changes ${pulse.metric('freshet.poller.changes')}`,
    `scored ${pulse.metric('freshet.scorer.scored')}`,
    `cached ${pulse.metric('freshet.cache.rows')}`,
    `snapshot ${pulse.metric('freshet.snapshot.rows')}`,
    `freshness p50 ${milliseconds(freshnessMs.percentile(50))} p99 ${milliseconds(freshnessMs.percentile(99))}`,
    `lookups ${tally.lookups}, ${tally.lookupsWithin100ms} within 100 ms`,
  ].join(' · ')
}

function panel({ tally, pulse, callers, slack, gateway }: DisplayOptions): string[] {
  const { freshnessMs, lookupMs, bySource } = tally
  const answer = callers.lastAnswer
  const lag = (worker: Worker) => {
    const found = pulse.lag.find((group) => group.worker === worker)
    return found === undefined ? '' : `  lag ${found.lagRecords} records, ${found.lagSeconds.toFixed(1)} s`
  }
  return [
    '',
    `  Elasticsearch   ${count(tally.documents)} flights, ${count(tally.writes)} writes, ${count(tally.deletes)} deleted again`,
    `  → changes       ${count(pulse.metric('freshet.poller.changes'))}`,
    `  → scored        ${count(pulse.metric('freshet.scorer.scored'))}${lag('infer')}`,
    `  → cached        ${count(pulse.metric('freshet.cache.rows'))}${lag('cache')}`,
    `  → snapshot      ${count(pulse.metric('freshet.snapshot.rows'))}${lag('snapshot')}`,
    `  dead letters    ${count(pulse.metric('freshet.scorer.dead'))}${slack === undefined ? '' : `    alerts ${slack.messages.length}`}`,
    ...titlesOf(slack?.messages ?? []).map((title) => `                  ${title}`),
    '',
    `  freshness       p50 ${milliseconds(freshnessMs.percentile(50))}   p99 ${milliseconds(freshnessMs.percentile(99))}   from the write in Elasticsearch to the gateway's answer`,
    `  deleted         gone after p50 ${milliseconds(tally.goneMs.percentile(50))}   max ${milliseconds(tally.goneMs.percentile(100))}`,
    `  lookups         ${count(tally.lookups)}, ${count(tally.lookupsWithin100ms)} within 100 ms   p99 ${milliseconds(lookupMs.percentile(99))}   failed ${tally.lookupFailures}`,
    `  answered from   ${Object.entries(bySource)
      .map(([source, answers]) => `${source} ${count(answers)}`)
      .join('   ')}`,
    '',
    ...(answer?.key == null
      ? []
      : [
          `  ${answer.key}: arrives ${Math.round(answer.score ?? 0)} min late, says ${answer.model} from ${answer.source}, ${answer.age_ms} ms old`,
          `  try: curl ${gateway.url}/v1/scores/${answer.key}`,
        ]),
    '  Ctrl-C stops everything.',
  ]
}

/** What people are told last, as Slack shows it before it is opened. */
export function titlesOf(messages: readonly { readonly text: string }[]): string[] {
  return messages.slice(-LAST_TITLES).map(({ text }) => text.split('\n', 1)[0]!.slice(0, MAX_TITLE))
}

const LAST_TITLES = 3
const MAX_TITLE = 100

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function milliseconds(value: number | null): string {
  return value === null ? '–' : `${Math.round(value)} ms`
}
