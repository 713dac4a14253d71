import type { AlertMessage } from '@freshet/records/alert-state.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import type { Log } from '@freshet/stage/log.ts'
import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { CONTEXT, lagMessage, SINCE_MS } from './notice.kit.ts'
import { RouteChain, type RouteChainOptions } from './route-chain.ts'
import type { Outcome, Way } from './ways/way.ts'

const FALLBACK_MS = 60_000
const HOUR_MS = 3_600_000
const taken: Outcome = { kind: 'taken' }
const later: Outcome = { kind: 'later', why: '503', afterMs: 0 }
const closed: Outcome = { kind: 'closed', why: '410 channel_is_archived' }
const refused: Outcome = { kind: 'refused', why: '422 headline' }
const never = new AbortController().signal

interface Told {
  readonly route: string
  readonly id: string
  readonly atMs: number
}

/** A chain whose ways answer as told, and whose clock moves by what is slept. */
function chain(
  ways: Partial<Record<Way['name'], (notice: { id: string; atMs: number }) => Outcome>>,
  options: Partial<RouteChainOptions> = {},
) {
  const clock = handClock(SINCE_MS + 10_000)
  const posts: Told[] = []
  const told: Told[] = []
  const counted: Record<string, number> = {}
  const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() } satisfies Log
  const states: string[] = []
  const report = {
    failing: (worker: string, error: unknown) => states.push(`${worker} ${(error as { code: string }).code}`),
    running: (worker: string) => states.push(`${worker} runs`),
  }
  const routes = new RouteChain({
    ways: Object.entries(ways).map(
      ([name, answer]): Way => ({
        name: name as Way['name'],
        async post({ id }) {
          const post = { route: name, id, atMs: clock.nowMs() }
          posts.push(post)
          const outcome = answer(post)
          if (outcome.kind === 'taken') told.push(post)
          return outcome
        },
      }),
    ),
    context: CONTEXT,
    fallbackMs: FALLBACK_MS,
    clock,
    log,
    metrics: {
      add: (name, ...[count = 1, label]: unknown[]) => {
        const key = label === undefined ? name : `${name}.${label}`
        counted[key] = (counted[key] ?? 0) + Number(count)
      },
    },
    report,
    random: () => 1,
    ...options,
  })
  const alertsInLog = () =>
    log.warn.mock.calls.filter(([, attributes]) => attributes?.['freshet.alert.id'] !== undefined).length
  return { routes, clock, posts, told, counted, log, states, alertsInLog }
}

const message = (id: string): AlertMessage => lagMessage('firing', id)

describe('a message', () => {
  test('goes by Slack while Slack takes it', async () => {
    const { routes, told, counted } = chain({ slack: () => taken, webhook: () => taken })
    expect(await routes.deliver(message('1'), never)).toBe('told')
    expect(told.map(({ route }) => route)).toEqual(['slack'])
    expect(counted).toEqual({ 'freshet.alerts.told.slack': 1 })
  })

  test('that Slack does not take for a minute goes the second way, the next one without that wait, and all by Slack again when it is well', async () => {
    let isAway = true
    const { routes, clock, told, states } = chain({
      slack: () => (isAway ? later : taken),
      webhook: () => taken,
    })
    const startMs = clock.nowMs()
    await routes.deliver(message('1'), never)
    expect(told.map(({ route, atMs }) => [route, atMs - startMs])).toEqual([['webhook', FALLBACK_MS]])
    const nextMs = clock.nowMs()
    await routes.deliver(message('2'), never)
    expect(told.at(-1)).toMatchObject({ route: 'webhook', atMs: nextMs })
    isAway = false
    clock.atMs += FALLBACK_MS
    await routes.deliver(message('3'), never)
    expect(told.map(({ route, id }) => `${id} ${route}`)).toEqual([
      'air/1 webhook',
      'air/2 webhook',
      'air/3 slack',
    ])
    expect([...new Set(states)]).toEqual(['slack SLACK_UNREACHABLE', 'slack runs'])
  })

  test('goes the second way at once when the channel of Slack is closed, which is tried again every ten minutes', async () => {
    const { routes, clock, posts, states } = chain({ slack: () => closed, webhook: () => taken })
    const startMs = clock.nowMs()
    for (const id of ['1', '2', '3']) await routes.deliver(message(id), never)
    clock.atMs += 600_000
    await routes.deliver(message('4'), never)
    expect(posts.filter(({ route }) => route === 'slack').map(({ id }) => id)).toEqual(['air/1', 'air/4'])
    expect(posts.filter(({ route }) => route === 'webhook')).toHaveLength(4)
    expect(clock.nowMs() - startMs).toBe(600_000)
    expect(states).toContain('slack SLACK_REFUSED')
  })

  test('is not sent before Slack says so, but the second way need not wait for that', async () => {
    const hour: Outcome = { kind: 'later', why: '429', afterMs: HOUR_MS }
    const { routes, clock, told, posts } = chain({ slack: () => hour, webhook: () => taken })
    const startMs = clock.nowMs()
    await routes.deliver(message('1'), never)
    expect(told).toMatchObject([{ route: 'webhook', atMs: startMs + FALLBACK_MS }])
    await routes.deliver(message('2'), never)
    expect(posts.filter(({ route }) => route === 'slack')).toHaveLength(1)
  })

  test('that Slack takes at the third attempt is no news of Slack', async () => {
    let attempts = 0
    const { routes, states, told } = chain({
      slack: () => (++attempts < 3 ? later : taken),
      webhook: () => taken,
    })
    await routes.deliver(message('1'), never)
    expect(told).toMatchObject([{ route: 'slack' }])
    expect(states).toEqual([])
  })

  test('does not wait for hours because the clock was set back', async () => {
    let isAway = true
    const { routes, clock, told } = chain({ slack: () => (isAway ? later : taken), webhook: () => taken })
    await routes.deliver(message('1'), never)
    isAway = false
    clock.atMs -= 5 * HOUR_MS
    await routes.deliver(message('2'), never)
    expect(told.at(-1)).toMatchObject({ route: 'slack' })
  })

  test('that no way takes stands in the log in time, once, is tried for hours, and then counts as given up', async () => {
    const { routes, clock, alertsInLog, counted, log } = chain({ slack: () => later, webhook: () => later })
    let loggedAfterMs = 0
    log.warn.mockImplementation((text) => {
      if (text.startsWith('FIRING')) loggedAfterMs = clock.nowMs() - SINCE_MS - 10_000
    })
    expect(await routes.deliver(message('1'), never)).toBe('given up')
    expect(alertsInLog()).toBe(1)
    expect(loggedAfterMs).toBeLessThanOrEqual(2 * FALLBACK_MS + 1_000)
    expect(clock.nowMs() - SINCE_MS).toBeGreaterThan(4 * HOUR_MS)
    expect(counted).toEqual({ 'freshet.alerts.given_up': 1 })
    expect(log.error).toHaveBeenCalledOnce()
    expect(routes.isMute()).toBe(true)
  })

  test('that arrives after it stood in the log is not given up', async () => {
    let attempts = 0
    const { routes, alertsInLog, counted } = chain({ slack: () => (++attempts > 20 ? taken : later) })
    await routes.deliver(message('1'), never)
    expect(alertsInLog()).toBe(1)
    expect(counted).toEqual({ 'freshet.alerts.told.slack': 1 })
  })

  test('that every way refuses is given up at once, into the log', async () => {
    const { routes, clock, alertsInLog, counted } = chain({ slack: () => refused, webhook: () => refused })
    expect(await routes.deliver(message('1'), never)).toBe('given up')
    expect(clock.sleeps).toEqual([])
    expect(alertsInLog()).toBe(1)
    expect(counted).toEqual({ 'freshet.alerts.given_up': 1 })
  })

  test('that comes while Slack alone is closed stands in the log, and is told when Slack opens after ten minutes', async () => {
    const startMs = SINCE_MS + 10_000
    const opensMs = startMs + 600_000
    const { routes, clock, posts, told, counted, alertsInLog } = chain({
      slack: ({ atMs }) => (atMs < opensMs ? closed : taken),
    })
    expect(await routes.deliver(message('1'), never)).toBe('told')
    expect(await routes.deliver(message('2'), never)).toBe('told')
    expect(posts.map(({ id, atMs }) => [id, atMs - startMs])).toEqual([
      ['air/1', 0],
      ['air/1', 600_000],
      ['air/2', 600_000],
    ])
    expect(told.map(({ id }) => id)).toEqual(['air/1', 'air/2'])
    expect(alertsInLog()).toBe(1)
    expect(counted).toEqual({ 'freshet.alerts.told.slack': 2 })
    expect(clock.nowMs()).toBe(opensMs)
  })

  test('that the second way refuses waits for the first one, which is closed', async () => {
    const opensMs = SINCE_MS + 1_000_000
    const { routes, counted } = chain({
      slack: ({ atMs }) => (atMs < opensMs ? closed : taken),
      webhook: () => refused,
    })
    expect(await routes.deliver(message('1'), never)).toBe('told')
    expect(counted).toEqual({ 'freshet.alerts.told.slack': 1 })
  })

  test('goes to the log, and counts as told, where no way is set', async () => {
    const { routes, alertsInLog, counted } = chain({})
    expect(await routes.deliver(message('1'), never)).toBe('told')
    expect(alertsInLog()).toBe(1)
    expect(counted).toEqual({ 'freshet.alerts.told.log': 1 })
    expect(routes.isMute()).toBe(false)
  })

  test('that waits behind one that nobody takes stands in the log too, once', async () => {
    const behind = [message('1'), message('2'), message('3')]
    const { routes, log } = chain({ slack: () => later }, { waiting: () => behind })
    await routes.deliver(behind[0]!, never)
    const lines = log.warn.mock.calls.filter(([text]) => text.startsWith('FIRING'))
    expect(lines).toHaveLength(3)
  })

  test('is not tried again when another watchdog speaks, or on a stop', async () => {
    let mayTell = true
    const first = chain({ slack: () => later }, {})
    const turn = () => mayTell
    first.clock.sleep = async () => void (mayTell = false)
    expect(await first.routes.deliver(message('1'), never, turn)).toBe('untold')
    expect(first.posts).toHaveLength(1)
    const stop = new AbortController()
    const second = chain({ slack: () => later })
    second.clock.sleep = async () => stop.abort()
    expect(await second.routes.deliver(message('1'), stop.signal)).toBe('untold')
    expect(second.posts).toHaveLength(1)
    expect(second.counted).toEqual({})
  })

  test('that is on its way when a stop comes is in doubt, unless it was answered', async () => {
    const endingOf = (answer: Outcome) => {
      const stop = new AbortController()
      const { routes } = chain({
        slack: () => {
          stop.abort()
          return answer
        },
      })
      return routes.deliver(message('1'), stop.signal)
    }
    expect(await endingOf(later)).toBe('in doubt')
    expect(await endingOf(closed)).toBe('untold')
    expect(await endingOf(taken)).toBe('told')
  })
})

/*
 * Proved for all answers of two ways in any order: messages are told in the order in which they were given, each once or
 * given up once, never both, and none is lost; nothing is posted to a way that asked to be left alone until then; whatever
 * was given up stands in the log. Real: the whole chain. Modelled: the two ways, and time.
 */
test('messages keep their order and none is lost, whatever the ways answer', async () => {
  const outcome = fc.oneof(
    { weight: 3, arbitrary: fc.constant(taken) },
    fc.constant(closed),
    fc.constant(refused),
    fc.nat({ max: 100_000 }).map((afterMs): Outcome => ({ kind: 'later', why: '', afterMs })),
  )
  const answers = fc.array(outcome, { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(answers, answers, fc.integer({ min: 1, max: 8 }), async (slack, webhook, count) => {
      const restUntil = new Map<string, number>()
      const next = (name: string, list: readonly Outcome[]) => {
        let at = 0
        return ({ atMs }: { atMs: number }) => {
          expect(atMs).toBeGreaterThanOrEqual(restUntil.get(name) ?? 0)
          const answer = list[at++ % list.length]!
          if (answer.kind === 'later') restUntil.set(name, atMs + answer.afterMs)
          return answer
        }
      }
      const { routes, told, counted, alertsInLog } = chain({
        slack: next('slack', slack),
        webhook: next('webhook', webhook),
      })
      const ids = Array.from({ length: count }, (_, at) => `${at}`)
      const settled = await Promise.all(ids.map((id) => routes.deliver(message(id), never)))
      const toldIds = told.map(({ id }) => Number(id.slice('air/'.length)))
      expect(toldIds).toEqual([...new Set(toldIds)].sort((a, b) => a - b))
      const givenUp = counted['freshet.alerts.given_up'] ?? 0
      expect(settled.filter((ending) => ending === 'told')).toHaveLength(toldIds.length)
      expect(settled.filter((ending) => ending === 'given up')).toHaveLength(givenUp)
      expect(toldIds.length + givenUp).toBe(count)
      expect(alertsInLog()).toBeGreaterThanOrEqual(givenUp)
    }),
  )
})
