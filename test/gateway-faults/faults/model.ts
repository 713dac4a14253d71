import { until } from '../../until.ts'
import type { Fault, Share } from '../fault.ts'
import { ThreadKiller } from '../kill-workers.ts'
import type { Asked } from '../load/generator.ts'
import { modelThreads } from '../model-threads.ts'
import { IN_BOTH } from '../truth.ts'
import { askOnce, predict, type World } from '../world.ts'
import { isAnswered, isLive, numbers, predictions } from './asked.ts'

const MOSTLY_LIVE: Share = { what: 'answered live', atLeast: 0.95, is: isLive }
/** Not the fault of the model: a document may be late on a busy machine. */
const liveOrStored = ({ status, source, reason }: Asked) =>
  status === 200 && (source === 'live' || LIVE_REASONS.has(reason ?? ''))
    ? null
    : `${status} from ${source}: ${reason}`
/** A document that takes seconds is nobody's live score within the bound. */
function storedForWant({ status, source, reason }: Asked): string | null {
  const isStored = status === 200 && (source === 'cache' || source === 'snapshot')
  return isStored && (reason === 'live_failed' || LIVE_REASONS.has(reason ?? ''))
    ? null
    : `${status} from ${source}: ${reason}`
}
const LIVE_REASONS = new Set(['live_late', 'live_overloaded', 'overloaded', 'deadline'])

/** What a turn of the model's loop takes; processors differ by twice and more. */
const turnMs = new WeakMap<World, number>()

/** The least of some: others may want the core. What is not answered live says nothing of the model. */
async function msOfATurn(world: World): Promise<number> {
  const tookMs: number[] = []
  await until('the model has answered ten times', async () => {
    const sentAtMs = performance.now()
    const reply = await askOnce(world, predict(0, PROBE_TURNS))
    const { source } = (await reply.json()) as { source?: string }
    if (source === 'live') tookMs.push(performance.now() - sentAtMs)
    return tookMs.length === 10
  })
  return Math.min(...tookMs) / PROBE_TURNS
}

/** Some 30 ms, so within what a prediction may take. */
const PROBE_TURNS = 15_000

export const modelFaults: readonly Fault[] = [
  {
    name: 'model-slow',
    title: 'The model takes five seconds for every document',
    world: { withModel: true },
    load: (span, world) => ({
      requests: predictions,
      phases: [
        {
          ...span,
          requests: numbers(0, IN_BOTH).map((number) =>
            predict(number, Math.round(5_000 / turnMs.get(world)!)),
          ),
        },
      ],
    }),
    async prepare(world) {
      if (modelThreads(world.gatewayPid)?.all === 0) throw new Error('the model takes cores before the loop')
      turnMs.set(world, await msOfATurn(world))
    },
    begin: async () => async () => {},
    mayRefuse: () => true,
    shares: [{ what: 'answered', atLeast: 0.95, is: isAnswered }],
    computingThreads: 2,
    faultOf: storedForWant,
    isWell: isLive,
    after: ({ gatewayPid }) =>
      until(
        'no thread is in the model any more', // a process that ends under ONNX Runtime ends with SIGABRT
        async () => (modelThreads(gatewayPid)?.busy ?? 0) === 0,
        { giveUpMs: 150_000 },
      ),
  },
  {
    name: 'model-worker-crashes',
    title: 'The thread of the model dies, three times a second',
    world: { withModel: true, env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } },
    load: () => ({ requests: predictions }),
    async begin(world) {
      const killer = await ThreadKiller.open(/ws:\/\/\S+/.exec(world.output)![0])
      let kills = 0
      const killing = setInterval(() => {
        if (killer.killOldest()) kills++
      }, 333)
      return async () => {
        clearInterval(killing)
        killer[Symbol.dispose]()
        if (kills < 3) throw new Error(`only ${kills} threads were killed`)
      }
    },
    faultOf: (one) => (one.reason === 'live_failed' ? null : liveOrStored(one)),
    shares: [MOSTLY_LIVE],
    isWell: isLive,
  },
  {
    name: 'model-swapped',
    title: 'Another model is promoted, again and again',
    world: { withModel: true, env: { FRESHET_MODEL_POINTER_INTERVAL_MS: '200' } },
    load: () => ({ requests: predictions }),
    async begin(world) {
      let isOver = false
      const swapping = (async () => {
        for (let i = 0; !isOver; i++) {
          await world.promote(i % 2 === 0 ? '2' : '1')
          await new Promise((resolve) => setTimeout(resolve, 600))
        }
      })()
      return async () => {
        isOver = true
        await swapping
      }
    },
    faultOf: liveOrStored,
    shares: [MOSTLY_LIVE],
    faultOfAll: (all) => {
      const models = new Set(all.filter(isLive).map(({ model }) => model?.split('@')[1]))
      return models.has('1') && models.has('2') ? null : `only ${[...models]} answered`
    },
    isWell: isLive,
  },
]
