import { withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { createLed } from '@freshet/adapters/kafka/kafkajs/create-led.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Bench, Figure, Sample } from '../figure.ts'
import { openScoring, type Scoring } from '../infer.ts'
import { StreamsPeer } from './streams-peer.ts'

const ADMIN_DEADLINE_MS = 30_000
/** So many times the peer works everything off before it is measured: then its hot code is compiled. */
const WARM_UPS = 2

/**
 * The `infer` figure beside a tuned Kafka Streams program that reads the same `.changes` with the same model.
 * Both begin when they have their partitions and a model, and end at the last acknowledgement.
 */
export const inferAgainstStreams: Figure = {
  name: 'infer-against-streams',
  unit: 'rows/CPU-s',
  title: 'changes scored, from Kafka to acknowledged scores; baseline: Kafka Streams with ONNX Runtime, warm',
  targets: [{ of: 'value', than: 'baseline', atLeast: 1.5 }],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const scoring = opened.use(await openScoring())
    const peer = await startPeer(scoring, opened)
    for (let round = 0; round < WARM_UPS; round++) await peer()
    await scoring.scoreAll()
    const keep = opened.move()
    return {
      ours: scoring.scoreAll,
      baselines: { 'Kafka Streams': peer },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

async function startPeer({ stack, connection, flights }: Scoring, opened: AsyncDisposableStack) {
  const { pipeline, kafka } = stack.settings
  const scores = `${pipeline}.peer-scores`
  const asAdmin = <T>(doing: string, work: Parameters<typeof withAdmin<T>>[2]) =>
    withAdmin(connection, { doing, signal: AbortSignal.timeout(ADMIN_DEADLINE_MS) }, work)
  await asAdmin('making the topic of the peer', (admin) =>
    createLed(
      admin,
      [{ topic: scores, numPartitions: kafka.partitions, replicationFactor: 1 }],
      AbortSignal.timeout(ADMIN_DEADLINE_MS),
    ),
  )
  opened.defer(() =>
    asAdmin('deleting the topic of the peer', (admin) => admin.deleteTopics({ topics: [scores] })),
  )
  const peer = opened.use(
    await StreamsPeer.start({
      brokers: kafka.brokers,
      changes: topicName(pipeline, 'changes'),
      scores,
      rows: flights.length,
    }),
  )
  let round = 0
  return async (): Promise<Sample> => {
    const group = `${pipeline}-peer-${++round}`
    const { rows, cpuMicros } = await peer.scoreAll(group)
    await asAdmin('forgetting the group of the peer', (admin) => admin.deleteGroups([group]))
    return { value: (rows / cpuMicros) * 1e6, cpuMicrosPerRow: cpuMicros / rows }
  }
}
