/** A promotion, and a promoted model that is damaged, as running and starting processes meet them. */
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { type Flight, readFlights } from '@freshet/demo/flights.ts'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { otherVersion } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteAgain, promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { scoreDocuments } from '@freshet/model/run/score-documents.ts'
import type { Answer } from '@freshet/records/answer.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { decodeScoreBatch, type ScoreBatch, STATE } from '@freshet/records/score-batch.ts'
import { topicName } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { freshet } from './freshet.ts'
import { Stack } from './stack.ts'
import { until } from './until.ts'

const [flight] = (await readFlights()) as [Flight]
const TEST_MS = 180_000

test('a promotion reaches a running scorer and a running gateway in seconds, without a failed answer or a mixed batch', {
  timeout: TEST_MS,
}, async ({ annotate }) => {
  await using stack = await Stack.open({
    FRESHET_GATEWAY_DEADLINE_MS: '5000',
    FRESHET_TELEMETRY_ENABLED: 'false',
  })
  const first = stack.bundle
  const second = await otherVersion(first)
  await pushModel(stack.store, second)
  stack.start('poller', 'scorer', 'gateway')
  await stack.gatewayReady()
  await until('the gateway has the first', async () => (await predict(stack)).model === 'arrival-delay@1')
  let written = 0
  const write = () => stack.write({ [`${written++}`]: flight.document })
  const scorerUses = async (version: string) => {
    await write()
    return (await batchesOf(stack)).some(({ header }) => header.model.version === version)
  }
  await until('the scorer has the first', () => scorerUses('1'))

  const gaps: Answer[] = []
  const modelOfGateway = async () => {
    const answer = await predict(stack)
    if (answer.reason === 'model_missing' || answer.reason === 'live_failed') gaps.push(answer)
    return answer.model
  }
  const promotedAtMs = performance.now()
  const seconds = () => ((performance.now() - promotedAtMs) / 1_000).toFixed(1)
  await promoteModel(stack.store, second.spec, Date.now())
  await Promise.all([
    until('the gateway has moved', async () => (await modelOfGateway()) === 'arrival-delay@2').then(() =>
      annotate(`the gateway: ${seconds()} s`),
    ),
    until('the scorer has moved', () => scorerUses('2')).then(() => annotate(`the scorer: ${seconds()} s`)),
  ])

  expect(gaps).toEqual([])

  await until('all is scored with the second', async () => {
    const keys = (await batchesOf(stack))
      .filter(({ header }) => header.model.version === '2')
      .reduce((sum, { rows }) => sum + rows.count, 0)
    return keys >= written
  })
  const scores = new Map([
    ['1', await scoreOf(first)],
    ['2', await scoreOf(second)],
  ])
  for (const { header, rows } of await batchesOf(stack))
    for (let row = 0; row < rows.count; row++) {
      expect(rows.states[row]).toBe(STATE.scored)
      expect(rows.outputs[0]![row]).toBeCloseTo(scores.get(header.model.version)!, 3)
    }
})

test('a scorer and a gateway that start while the promoted model is damaged go on with the one before, and say what is to be mended', {
  timeout: TEST_MS,
}, async () => {
  await using stack = await Stack.open({ FRESHET_MODEL_POINTER_INTERVAL_MS: '500' })
  const second = await otherVersion(stack.bundle)
  await pushModel(stack.store, second)
  await promoteModel(stack.store, second.spec, Date.now())
  const object = `models/${second.spec.name}/2/model.onnx`
  await stack.store.put(object, Buffer.from('damaged'))

  stack.start('poller', 'scorer', 'gateway')
  await stack.gatewayReady()
  await stack.write({ 1: flight.document })
  const answer = async () =>
    (await (await fetch(`${stack.gatewayUrl}/v1/scores/${stack.index}/1`)).json()) as Answer
  await until('the one before scores', async () => (await answer()).model === 'arrival-delay@1')
  await until('the gateway too', async () => (await predict(stack)).model === 'arrival-delay@1')
  await until('both say what is wrong', async () => (await troubled(stack)).join() === 'gateway,scorer')
  const once = await freshet(['once'], stack.env)
  expect([once.code, once.stdout + once.stderr]).toEqual([2, expect.stringContaining('MODEL_HASH')])

  await pushModel(stack.store, second)
  await promoteAgain(stack.store, undefined, Date.now())
  await until('the mended one scores all again', async () => (await answer()).model === 'arrival-delay@2')
  await until('all is well', async () => (await troubled(stack)).length === 0)
})

/** Services that say that the promoted model is damaged. */
async function troubled(stack: Stack): Promise<string[]> {
  const { stdout } = await freshet(['status', '--json'], stack.env)
  const { instances } = JSON.parse(stdout) as { instances: Heartbeat[] }
  const error = 'MODEL_HASH: model.onnx of arrival-delay@2'
  return instances
    .filter(({ service, status }) => service !== 'once' && status === 'failing')
    .filter(({ lastError }) => lastError?.startsWith(error))
    .map(({ service }) => service)
    .toSorted()
}

async function predict({ gatewayUrl }: Stack): Promise<Answer> {
  const reply = await fetch(`${gatewayUrl}/v1/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ document: flight.document }),
  })
  return (await reply.json()) as Answer
}

async function batchesOf({ settings }: Stack): Promise<ScoreBatch[]> {
  const connection = connectKafka(settings.kafka, { clientId: 'test', log: quietLog })
  const batches: ScoreBatch[] = []
  await readAll(connection, topicName(settings.pipeline, 'scores'), {
    onMessage: (_, { value }) => void batches.push(decodeScoreBatch(value!)),
    signal: AbortSignal.timeout(30_000),
    deadlineMs: 30_000,
  })
  return batches
}

async function scoreOf(bundle: ModelBundle): Promise<number> {
  const [score] = await scoreDocuments(bundle, [Buffer.from(JSON.stringify(flight.document))])
  return score?.state === 'scored' ? Object.values(score.outputs)[0]! : Number.NaN
}
