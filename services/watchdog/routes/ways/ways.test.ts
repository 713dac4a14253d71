/*
 * The ways over real HTTP, to receivers that keep the rules of Slack, Teams, Flock and the documented body. Time is a
 * clock of the test, which the receivers share: what is slept takes none.
 */
import { startFlockReceiver } from '@freshet/demo/receivers/flock-receiver.ts'
import { startTeamsReceiver } from '@freshet/demo/receivers/teams-receiver.ts'
import { startWebhookReceiver } from '@freshet/demo/receivers/webhook-receiver.ts'
import { rateLimited, SLACK_TROUBLES, startSlackReceiver } from '@freshet/demo/slack-receiver.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import type { Log } from '@freshet/stage/log.ts'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { CONTEXT, lagMessage, lagNotice, SINCE_MS } from '../notice.kit.ts'
import { RouteChain } from '../route-chain.ts'
import { SlackWay } from './slack-way.ts'
import type { Way } from './way.ts'
import { WebhookWay, type WebhookWayOptions } from './webhook-way.ts'

const never = new AbortController().signal
const quiet = () => ({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }) satisfies Log

/** Slack's stand-in, and the way to it. */
async function slack(requestTimeoutMs = 10_000) {
  const clock = handClock(SINCE_MS)
  const log = quiet()
  const receiver = await startSlackReceiver({ port: 0, nowMs: clock.nowMs })
  onTestFinished(() => receiver.close())
  const way = new SlackWay({ webhookUrl: receiver.url, clock, log, requestTimeoutMs })
  return { clock, log, receiver, way, post: () => way.post(lagNotice(), never) }
}

function webhook(url: string, options: Partial<WebhookWayOptions> = {}) {
  const clock = handClock(SINCE_MS)
  const way = new WebhookWay({ url, format: 'json', headers: {}, clock, log: quiet(), ...options })
  return { clock, way, post: () => way.post(lagNotice(), never) }
}

describe('Slack', () => {
  test('has the message, with blocks', async () => {
    const { receiver, post } = await slack()
    expect(await post()).toEqual({ kind: 'taken' })
    expect(receiver.messages).toMatchObject([
      { text: 'FIRING: air-infer is 5 min behind (pipeline air)', blocks: { length: 4 } },
    ])
  })

  test('gets a message a second, however many there are, and never says that these are too many', async () => {
    const { receiver, way, clock } = await slack()
    for (let count = 0; count < 20; count++) await way.post(lagNotice(), never)
    expect(receiver.messages).toHaveLength(20)
    expect(receiver.posts.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(clock.nowMs() - SINCE_MS).toBe(19_000)
  })

  test('is obeyed when it says how long to wait', async () => {
    const { receiver, post } = await slack()
    receiver.behave(rateLimited(30))
    expect(await post()).toEqual({
      kind: 'later',
      afterMs: 30_000,
      why: '429 {"retry_after":30,"ok":false,"error":"rate_limited"}',
    })
  })

  test.each([
    ['rollupError', 'later'],
    ['unavailable', 'later'],
    ['noService', 'closed'],
    ['noTeam', 'closed'],
    ['channelGone', 'closed'],
    ['channelArchived', 'closed'],
    ['tokenInvalid', 'closed'],
    ['prohibited', 'closed'],
    ['userGone', 'closed'],
  ] as const)('in trouble (%s) counts as %s', async (trouble, kind) => {
    const { receiver, post } = await slack()
    receiver.behave(SLACK_TROUBLES[trouble])
    const { status, body } = SLACK_TROUBLES[trouble]
    expect(await post()).toMatchObject({ kind, why: `${status} ${body}`.trim() })
  })

  test('that refuses the form gets it once more as plain text, a second later', async () => {
    const { receiver, way, clock, log } = await slack()
    const notice = lagNotice()
    receiver.behave({ status: 400, body: 'invalid_blocks' })
    const sleep = clock.sleep
    clock.sleep = (ms) => {
      receiver.behave('well')
      return sleep(ms)
    }
    expect(await way.post(notice, never)).toEqual({ kind: 'taken' })
    expect(receiver.messages).toMatchObject([{ blocks: [] }])
    expect(log.warn).toHaveBeenCalledOnce()
    expect(clock.sleeps).toEqual([1_000])
  })

  test('that is frozen costs one time-out', async () => {
    const { receiver, post } = await slack(100)
    receiver.behave('frozen')
    expect(await post()).toEqual({ kind: 'later', afterMs: 0, why: 'no answer in time' })
  })

  test('that is not there is told by the code of the network, and its address by nothing', async () => {
    const { receiver, post } = await slack()
    await receiver.close()
    expect(await post()).toEqual({ kind: 'later', afterMs: 0, why: 'ECONNREFUSED' })
  })

  test('that repeats the address is told without it', async () => {
    const { receiver, post } = await slack()
    const { pathname } = new URL(receiver.url)
    receiver.behave({ status: 404, body: `Cannot POST ${pathname}, nor ${receiver.url}` })
    expect(await post()).toEqual({ kind: 'closed', why: '404 Cannot POST ***, nor ***' })
  })

  test('is not taken for whoever else answers 200', async () => {
    const { receiver, post } = await slack()
    receiver.behave({ status: 200, body: '<html>Sign in to the network</html>' })
    expect(await post()).toMatchObject({ kind: 'later' })
  })
})

describe('the second route', () => {
  test('posts the documented body with the headers that are set', async () => {
    await using receiver = await startWebhookReceiver({ port: 0, authorization: 'Bearer s3cret' })
    const { post } = webhook(receiver.url, { headers: { authorization: 'Bearer s3cret' } })
    expect(await post()).toEqual({ kind: 'taken' })
    expect(await post()).toEqual({ kind: 'taken' })
    expect(receiver.posts).toHaveLength(2)
    expect(receiver.posts[0]!.headers['idempotency-key']).toBe('air/1-0')
    expect(receiver.messages).toMatchObject([{ headline: 'FIRING: air-infer is 5 min behind' }])
  })

  test('is closed where it is not let in, and refused where the body is', async () => {
    await using receiver = await startWebhookReceiver({ port: 0, authorization: 'Bearer s3cret' })
    expect(await webhook(receiver.url).post()).toEqual({ kind: 'closed', why: '401 not authorized' })
    receiver.behave({ status: 422, body: 'headline' })
    expect(await webhook(receiver.url).post()).toEqual({ kind: 'refused', why: '422 headline' })
  })

  test('that repeats its address is told without it', async () => {
    await using teams = await startTeamsReceiver({ port: 0 })
    const { pathname, search } = new URL(teams.url)
    teams.behave({ status: 404, body: `${pathname} is gone, whatever ${search} says` })
    const { post } = webhook(teams.url, { format: 'teams' })
    expect(await post()).toEqual({ kind: 'closed', why: '404 *** is gone, whatever *** says' })
  })

  test('follows no redirect: headers with secrets would go along', async () => {
    await using receiver = await startWebhookReceiver({ port: 0 })
    receiver.behave({ status: 307, body: '', headers: { location: 'http://127.0.0.1:1/' } })
    expect(await webhook(receiver.url).post()).toEqual({ kind: 'closed', why: '307' })
  })

  test('shows a card in Teams', async () => {
    await using teams = await startTeamsReceiver({ port: 0 })
    const { post } = webhook(teams.url, { format: 'teams' })
    expect(await post()).toEqual({ kind: 'taken' })
    expect(teams.messages).toHaveLength(1)
    expect(teams.failedRuns).toEqual([])
  })

  test('hears what connectors of Teams say in the body of a 200', async () => {
    await using teams = await startTeamsReceiver({ port: 0 })
    const body =
      'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId'
    teams.behave({ status: 200, body })
    expect(await webhook(teams.url, { format: 'teams' }).post()).toMatchObject({ kind: 'later' })
  })

  test('shows FlockML in Flock, and text where that is refused', async () => {
    await using flock = await startFlockReceiver({ port: 0 })
    const { post, clock } = webhook(flock.url, { format: 'flock' })
    expect(await post()).toEqual({ kind: 'taken' })
    expect(flock.messages[0]).toMatchObject({ flockml: expect.stringContaining('<flockml>') })
    flock.behave({ status: 400, body: '{"error":"InvalidParameter","parameter":"flockml"}' })
    let sleeps = 0
    clock.sleep = async () => {
      if (++sleeps === 2) flock.behave('well')
    }
    expect(await post()).toEqual({ kind: 'taken' })
    expect(flock.messages[1]).not.toHaveProperty('flockml')
  })
})

/** Slack, a second route and what people then have, on one clock. */
async function everything(slackTimeoutMs = 10_000) {
  const { clock, log, receiver: slackReceiver, way: slackWay } = await slack(slackTimeoutMs)
  const second = await startWebhookReceiver({ port: 0 })
  onTestFinished(() => second.close())
  const ways: Way[] = [slackWay, new WebhookWay({ url: second.url, format: 'json', headers: {}, clock, log })]
  const routes = new RouteChain({
    ...{ ways, context: CONTEXT, fallbackMs: 5_000, clock, log, metrics: { add() {} }, random: () => 1 },
  })
  const say = (id: string) => routes.deliver({ ...lagMessage('firing', id), atMs: clock.nowMs() }, never)
  return { slackReceiver, second, say, clock, log, routes }
}

describe('the chain over HTTP', () => {
  test.each([
    ['frozen', 'frozen' as const],
    ['failing', SLACK_TROUBLES.rollupError],
    ['archived', SLACK_TROUBLES.channelArchived],
    ['overrun for an hour', rateLimited(3_600)],
  ])(
    'with Slack %s people have all by the second route, in order, and by Slack again when it is well',
    async (_, behaviour) => {
      const { slackReceiver, second, say, clock } = await everything(behaviour === 'frozen' ? 1_000 : 10_000)
      await say('1')
      slackReceiver.behave(behaviour)
      for (const id of ['2', '3', '4']) await say(id)
      slackReceiver.behave('well')
      clock.atMs += 3_600_000
      await say('5')
      expect(second.messages.map(({ id }) => id)).toEqual(['air/2', 'air/3', 'air/4'])
      // Twice is at least once: on a loaded machine an answer may be late.
      expect(slackReceiver.messages.length).toBeGreaterThanOrEqual(2)
    },
  )

  test('with all ways away the messages stand in the log, without an address, and arrive when one is back', async () => {
    const { slackReceiver, second, say, clock, log, routes } = await everything()
    slackReceiver.behave(SLACK_TROUBLES.rollupError)
    second.behave({ status: 503, body: '' })
    const sleep = clock.sleep
    clock.sleep = async (ms) => {
      await sleep(ms)
      if (routes.isMute()) second.behave('well')
    }
    expect(await say('1')).toBe('told')
    expect(second.messages.map(({ id }) => id)).toEqual(['air/1'])
    const said = JSON.stringify([log.info, log.warn, log.error].flatMap(({ mock }) => mock.calls))
    expect(said).toContain('FIRING: air-infer is 5 min behind')
    expect(said).not.toMatch(/\/services\/|\/hook\/|127\.0\.0\.1/)
  })
})
