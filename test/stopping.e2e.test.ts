import { readFlights } from '@freshet/demo/flights.ts'
import { kafka } from '@freshet/up/kafka.ts'
import { expect, test } from 'vitest'
import { NativeServer } from './cluster/native-server.ts'
import { Stack } from './stack.ts'
import { until } from './until.ts'

const TEST_MS = 600_000
const flights = await readFlights()

/** Starts a poller on a broker of its own, which answers nothing from the moment at which changes are to be sent. */
async function freezeKafka(stack: Stack, broker: NativeServer): Promise<void> {
  stack.start('poller')
  const told = () => stack.output.poller ?? ''
  await until('it captures', async () => told().includes('starts at the beginning'), {
    giveUpMs: 120_000,
    explain: told,
  })
  broker.freeze()
  await stack.write(Object.fromEntries(flights.slice(0, 200).map(({ id, document }) => [id, document])))
}

test.each([
  ['has just stopped answering', false],
  ['has not answered for long', true],
])(
  'a poller whose Kafka %s stops as asked, with what could not be sent left to the next one',
  async (_, isLongFrozen) => {
    await using broker = await NativeServer.start(kafka)
    await using stack = await Stack.open({ FRESHET_KAFKA_BROKERS: `127.0.0.1:${broker.port}` })
    await freezeKafka(stack, broker)
    const told = () => stack.output.poller ?? ''
    const isUnheard = async () => told().includes('heartbeats are not heard')
    if (isLongFrozen) await until('it misses Kafka', isUnheard, { giveUpMs: 120_000, explain: told })
    expect(await stack.stop('poller'), told()).toBe(0)
  },
  TEST_MS,
)
