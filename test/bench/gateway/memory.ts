import { objectKey } from '@freshet/snapshot/manifest.ts'
import { Stack } from '../../stack.ts'
import { until } from '../../until.ts'
import { startBare } from '../bare-process.ts'
import type { BareLoad } from '../bare-snapshot.ts'
import { cpuMicrosOf } from '../cost.ts'
import type { Bench, Figure, Sample } from '../figure.ts'
import { KEYS } from '../key-count.ts'
import { peakMiBOf } from '../peak-memory.ts'
import { putSnapshot } from '../put-snapshot.ts'
import { reportingService } from '../reporting-process.ts'
import { keyOf, SCORE } from '../snapshot-rows.ts'
import { emptyStore, openSnapshotParts } from '../snapshot-world.ts'

const LOAD_MS = 600_000

/** What `freshet run gateway` holds at most from its start until every key of a large snapshot can be asked for. Baseline: bare-snapshot.ts. */
export const gatewayMemory: Figure = {
  name: 'gateway-memory',
  unit: 'MiB',
  title: `the most that a gateway holds with ${KEYS.toLocaleString('en')} keys of a snapshot in memory; baseline: a Map`,
  targets: [{ of: 'value', atMost: 1_024 }],
  rounds: 1,
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(await Stack.open())
    const parts = opened.use(await openSnapshotParts(stack.env))
    opened.defer(() => emptyStore(stack.store))
    const { object } = await putSnapshot(parts, { keys: KEYS })
    const keep = opened.move()
    return {
      ours: () => loadAll(stack),
      baselines: { map: () => loadBare(stack, objectKey(object)) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

async function loadAll(stack: Stack): Promise<Sample> {
  await using gateway = reportingService(stack, 'gateway')
  const beganAtMs = performance.now()
  const has = async (number: number) => {
    gateway.ended.throwIfAborted()
    return (await fetch(`${stack.gatewayUrl}/v1/scores/${keyOf(number)}`)).ok
  }
  const isLoaded = async () =>
    /"snapshot":\{"ready":true/.test(await (await fetch(`${stack.gatewayUrl}/readyz`)).text())
  await until('the snapshot is in memory', isLoaded, { giveUpMs: LOAD_MS })
  const seconds = (performance.now() - beganAtMs) / 1_000
  for (const number of [0, Math.floor(KEYS / 2), KEYS - 1])
    if (!(await has(number))) throw new Error(`key ${number} is not there`)
  return {
    value: peakMiBOf(gateway.pid),
    cpuMicrosPerRow: cpuMicrosOf(gateway.pid) / KEYS,
    also: {
      seconds,
      endMiB: gateway.memory?.rssMiB ?? Number.NaN,
      heapMiB: gateway.memory?.heapMiB ?? Number.NaN,
    },
  }
}

/** The file and nothing else: no server, and nobody who asks. */
async function loadBare({ settings }: Stack, object: string): Promise<Sample> {
  const program = new URL('../bare-snapshot.ts', import.meta.url)
  await using bare = await startBare<BareLoad>(program, [settings.s3.prefix, SCORE, object])
  const { peakMiB, seconds, cpuMicros, keys } = bare.told
  if (keys !== KEYS) throw new Error(`${keys} keys came, not ${KEYS}`)
  return { value: peakMiB, cpuMicrosPerRow: cpuMicros / keys, also: { seconds } }
}
