import { expect, test } from 'vitest'
import { gateway, stored } from '../app.kit.ts'
import { createApp } from '../app.ts'
import type { ManyLookups } from '../many/many-lookups.ts'
import { WorkInHand } from '../server/work-in-hand.ts'

const KEYS = Array.from({ length: 1_000 }, (_, i) => `flights/${String(i).padStart(14, '0')}`)
const HEAVY = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ keys: KEYS }),
}

test('with all the heavy requests in hand that can be answered in time the next is refused at once, a light one is not', async () => {
  const { parts, metrics } = gateway({
    cache: (key) => ({ kind: 'has', score: { ...stored, key } }),
    maxBodyBytes: 65_536,
  })
  const hold = Promise.withResolvers<void>()
  let held = 0
  const many = {
    async lookUp(...call: Parameters<ManyLookups['lookUp']>) {
      held++
      await hold.promise
      return parts.many.lookUp(...call)
    },
  } as ManyLookups
  const app = createApp({ ...parts, many, limits: { ...parts.limits, deadlineMs: 60_000 } })
  const replies: Response[] = []
  const asked = Array.from({ length: 10 }, () =>
    Promise.resolve(app.request('/v1/scores', HEAVY)).then((reply) => replies.push(reply)),
  )
  await expect.poll(() => held + replies.length).toBe(10)
  expect(held).toBeGreaterThan(0)
  expect(held).toBeLessThan(8) // of 27 KB each; fewer where this machine is slow to read them
  const refused = replies.slice()
  for (const reply of refused) {
    expect(reply.status).toBe(503)
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await reply.json()).toMatchObject({ code: 'OVERLOADED', retryable: true })
  }
  expect(metrics.values()['freshet.requests.refused']).toBe(refused.length)
  expect((await app.request('/v1/scores/a')).status).toBe(200)
  const few = { ...HEAVY, body: JSON.stringify({ keys: KEYS.slice(0, 10) }) }
  hold.resolve()
  expect((await app.request('/v1/scores', few)).status).toBe(200)
  await Promise.all(asked)
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(10 - refused.length)
  expect((await app.request('/v1/scores', HEAVY)).status).toBe(200)
})

test('what asks for no route is not taken for the cost of heavy requests', async () => {
  let activeMs = 0
  const work = new WorkInHand({ deadlineMs: 100, nowMs: () => 0, activeMs: () => activeMs })
  const app = createApp({ ...gateway({}).parts, work })
  for (let i = 0; i < 600; i++) {
    activeMs += 0.03
    expect((await app.request('/v1/nothing')).status).toBe(404)
  }
  work.begin(65_536, 0)
  activeMs += 17
  work.end(65_536)
  let begun = 0
  while (begun < 100 && work.begin(25_000, 0)) begun++
  expect(begun).toBe(7)
})
