import { expect, onTestFinished, test } from 'vitest'
import { startFlockReceiver } from './flock-receiver.ts'
import type { Receiver } from './receiver.ts'
import { startTeamsReceiver } from './teams-receiver.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

/** @returns a poster that tells status and body */
async function open(starting: Promise<Receiver<unknown>>) {
  const receiver = await starting
  onTestFinished(() => receiver.close())
  return async (body: unknown, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(receiver.url, { method: 'POST', body: text, headers })
    return { status: response.status, body: await response.text(), shown: receiver.messages.length }
  }
}

const card = (content: object) => ({
  type: 'message',
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.adaptive',
      content: {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.4',
        body: [{ type: 'TextBlock', text: 'x', wrap: true }],
        ...content,
      },
    },
  ],
})

test('a workflow of Teams shows a card, and accepts what it does not show', async () => {
  const teams = await startTeamsReceiver({ port: 0, nowMs: () => 0 })
  const post = await open(Promise.resolve(teams))
  expect(await post(card({}))).toEqual({ status: 202, body: '', shown: 1 })
  expect(await post(card({ version: '1.5' }))).toEqual({ status: 202, body: '', shown: 1 })
  expect(await post({ text: 'x' })).toEqual({ status: 202, body: '', shown: 1 })
  expect(await post(card({ body: [{ type: 'TextBlock', text: 'x'.repeat(25_000) }] }))).toMatchObject({
    shown: 1,
  })
  expect(teams.failedRuns).toEqual([
    expect.stringContaining('version'),
    expect.stringContaining('type'),
    'MessageSizeExceeded',
  ])
  expect(await post(card({}))).toMatchObject({ status: 429 })
})

test('what is not JSON is no request to a workflow', async () => {
  const post = await open(startTeamsReceiver({ port: 0 }))
  expect(await post('text')).toMatchObject({ status: 400, shown: 0 })
})

test.each([
  ['a text', { text: 'x' }],
  [
    'FlockML',
    { flockml: '<flockml>a<br/><b>b &amp; c</b> <a href="https://x.example/?a&amp;b">d</a></flockml>' },
  ],
])('Flock shows %s', async (_what, body) => {
  const post = await open(startFlockReceiver({ port: 0 }))
  expect(await post(body)).toMatchObject({ status: 200, shown: 1 })
})

test.each([
  ['nothing', {}, 'text'],
  ['an element that is not closed', { flockml: '<flockml><b>x</flockml>' }, 'flockml'],
  ['an ampersand', { flockml: '<flockml>a & b</flockml>' }, 'flockml'],
  ['text outside', { flockml: 'a<flockml>b</flockml>' }, 'flockml'],
  ['an element that Flock does not know', { flockml: '<flockml><h1>x</h1></flockml>' }, 'flockml'],
  ['a smaller-than', { flockml: '<flockml>1 < 2</flockml>' }, 'flockml'],
  ['a control character', { flockml: '<flockml>\u0007</flockml>' }, 'flockml'],
])('Flock refuses %s', async (_what, body, parameter) => {
  const post = await open(startFlockReceiver({ port: 0 }))
  expect(await post(body)).toEqual({
    status: 400,
    body: JSON.stringify({ error: 'InvalidParameter', parameter }),
    shown: 0,
  })
})

test('the generic receiver asks for its secret, and for the documented form', async () => {
  const post = await open(startWebhookReceiver({ port: 0, authorization: 'Bearer s' }))
  expect(await post({})).toMatchObject({ status: 401 })
  expect(await post({}, { authorization: 'Bearer s' })).toMatchObject({
    status: 422,
    body: 'version',
    shown: 0,
  })
})
