import type { Fault } from '../fault.ts'
import type { Asked } from '../load/generator.ts'
import type { HangUpReport } from '../load/hang-ups.ts'
import type { SlowReport } from '../load/slow-clients.ts'
import { IN_BOTH } from '../truth.ts'
import { forked, lookup, manyKeys } from '../world.ts'
import { fromCache, isAnswered, numbers, predictions } from './asked.ts'

const isRefused = ({ status }: Asked) => status === 503

/** The gateway's own patience with headers, and its look at them (http-server.ts), and a second. */
const HEADERS_CUT_OFF_MS = 3_500

export const clientFaults: readonly Fault[] = [
  {
    name: 'clients-slow',
    title: 'Two hundred clients send their headers or bodies byte by byte',
    world: { withModel: true },
    async begin({ port, otherAnswers, otherStalls }) {
      const helper = forked('./load/slow-clients.ts')
      helper.child.send({ port, callers: 200, requests: predictions.slice(0, 10) })
      const longEnough = new Promise((resolve) => setTimeout(resolve, HEADERS_CUT_OFF_MS))
      return async () => {
        await longEnough
        const told = helper.says<SlowReport>()
        helper.child.send('stop')
        const { headersCutOff, answers, stalls } = await told
        otherAnswers.push(...answers)
        otherStalls.push(...stalls)
        await helper[Symbol.asyncDispose]()
        if (headersCutOff === 0) throw new Error('no one who drips his headers was cut off')
        const statuses = new Set(answers.map(({ status }) => status))
        // One that comes in while the machine stands still is refused at once.
        if (!statuses.has(408) || [...statuses].some((status) => status !== 408 && status !== 503))
          throw new Error(`slow bodies got ${[...statuses]}`)
      }
    },
    faultOf: (one) => (one.status === 200 ? null : `${one.status}: ${one.problem}`),
    isWell: fromCache,
  },
  {
    name: 'clients-hang-up',
    title: 'A thousand callers a second hang up',
    world: { withModel: true },
    async begin({ port }) {
      const helper = forked('./load/hang-ups.ts')
      helper.child.send({
        port,
        perSecond: 1_000,
        requests: [...predictions.slice(0, 50), ...numbers(0, 50).map(lookup)],
      })
      return async () => {
        const told = helper.says<HangUpReport>()
        helper.child.send('stop')
        const report = await told
        await helper[Symbol.asyncDispose]()
        if (Object.values(report).some((count) => count < 50))
          throw new Error(`too few hung up: ${JSON.stringify(report)}`)
      }
    },
    faultOf: (one) => (one.status === 200 ? null : `${one.status}: ${one.problem}`),
    isWell: fromCache,
  },
  {
    name: 'burst',
    title: 'Twenty times the load for 400 ms, six times',
    load: ({ fromMs }) => ({
      requestsPerSecond: 250,
      phases: [0, 1_000, 2_000, 3_000, 4_000, 5_000].map((atMs) => ({
        fromMs: fromMs + atMs,
        toMs: fromMs + atMs + 400,
        requestsPerSecond: 5_000,
      })),
    }),
    begin: async () => async () => {},
    mayRefuse: () => true,
    shares: [{ what: 'answered', atLeast: 0.75, is: isAnswered }],
    isWell: fromCache,
  },
  {
    name: 'overload',
    title: 'Several times as many lookups of 900 keys as the gateway has time for, beside single ones',
    load: (span) => ({
      phases: [
        {
          ...span,
          requestsPerSecond: 1_650,
          requests: [
            ...numbers(0, IN_BOTH).map(lookup),
            ...numbers(0, IN_BOTH / 3).map((number) => manyKeys(3 * number)),
          ],
        },
      ],
    }),
    begin: async () => async () => {},
    mayRefuse: () => true,
    shares: [
      { what: 'single ones answered', atLeast: 0.95, of: (one) => !isHeavy(one), is: isAnswered },
      { what: 'heavy ones refused', atLeast: 0.25, of: isHeavy, is: isRefused },
      { what: 'heavy ones answered', atLeast: 0.05, of: isHeavy, is: isAnswered },
    ],
    isWell: fromCache,
  },
]

function isHeavy({ operation }: Asked): boolean {
  return operation === 'POST /v1/scores'
}
