import { expect, test } from 'vitest'
import { gateway } from '../app.kit.ts'

const KEY = 'sesame-open-thou'

test('a key stands in no span, no log line and no answer, whatever becomes of the request', async () => {
  const { app, post, spans, lines } = gateway({
    key: KEY,
    share: 1,
    cache: () => {
      throw new Error('a fault of our own')
    },
  })
  const wrong = `${KEY}-wrong`
  const replies = [
    await app.request('/v1/scores/a', { headers: { authorization: `Bearer ${KEY}` } }),
    await app.request('/v1/scores/a', { headers: { authorization: `Bearer ${wrong}` } }),
    await app.request(`/v1/scores?key=a&api_key=${wrong}`, { headers: { 'x-api-key': wrong } }),
    await app.request('/v1/scores/a?deadline_ms=soon', { headers: { 'x-api-key': KEY } }),
    await app.request('/metrics', { headers: { 'x-api-key': KEY } }),
    await app.request('/v1/nowhere', { headers: { 'x-api-key': KEY } }),
    await post('/v1/predict', { document: {}, debug: true }, { 'x-api-key': KEY }),
    await post('/v1/predict', { document: {} }, { 'x-api-key': KEY }),
  ]
  expect(replies.map(({ status }) => status)).toEqual([500, 401, 401, 400, 403, 404, 400, 200])
  expect([spans.length, lines.length].every((told) => told > 0)).toBe(true)
  const answers = await Promise.all(replies.map((reply) => reply.text()))
  const headers = replies.map((reply) => JSON.stringify([...reply.headers]))
  expect(JSON.stringify([spans, lines, answers, headers])).not.toContain(KEY)
})
