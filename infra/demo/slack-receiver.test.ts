import { expect, onTestFinished, test } from 'vitest'
import { SLACK_TROUBLES, startSlackReceiver } from './slack-receiver.ts'

/** A receiver whose clock stands where the test puts it. */
async function receiver() {
  const time = { ms: 0 }
  const slack = await startSlackReceiver({ port: 0, nowMs: () => time.ms })
  onTestFinished(() => slack.close())
  const post = async (body: unknown, url = slack.url) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return {
      status: response.status,
      body: await response.text(),
      retryAfter: response.headers.get('retry-after'),
    }
  }
  return { slack, post, time }
}

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } })

test('a message is taken as Slack takes it: 200 and ok', async () => {
  const { slack, post } = await receiver()
  expect(await post({ text: 'FIRING', blocks: [section('*bold*')] })).toMatchObject({
    status: 200,
    body: 'ok',
  })
  expect(slack.messages).toMatchObject([{ text: 'FIRING', blocks: [section('*bold*')] }])
})

test.each([
  ['what is not JSON', 'text=hello', 'invalid_payload'],
  ['what is not an object', '[1]', 'invalid_payload'],
  ['nothing to show', {}, 'no_text'],
  ['a text that is too long', { text: 'x'.repeat(40_001) }, 'msg_too_long'],
  ['a section over 3,000 characters', { text: 'x', blocks: [section('x'.repeat(3_001))] }, 'invalid_blocks'],
  ['more than 50 blocks', { text: 'x', blocks: Array(51).fill({ type: 'divider' }) }, 'invalid_blocks'],
  [
    'a header over 150 characters',
    { text: 'x', blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] },
    'invalid_blocks',
  ],
  [
    'more than 10 fields',
    { text: 'x', blocks: [{ type: 'section', fields: Array(11).fill({ type: 'mrkdwn', text: 'x' }) }] },
    'invalid_blocks',
  ],
  [
    'a field that the block does not have',
    { text: 'x', blocks: [{ ...section('x'), colour: 'red' }] },
    'invalid_blocks',
  ],
  [
    'two blocks of one name',
    { text: 'x', blocks: Array(2).fill({ type: 'divider', block_id: 'a' }) },
    'invalid_blocks',
  ],
  ['more than 100 attachments', { attachments: Array(101).fill({ text: 'x' }) }, 'too_many_attachments'],
  [
    'a wrong block in an attachment',
    { attachments: [{ blocks: [{ type: 'banner' }] }] },
    'invalid_attachments',
  ],
  ['a block that Slack does not know', { text: 'x', blocks: [{ type: 'banner' }] }, 'invalid_blocks'],
  [
    'blocks that are too long together',
    { text: 'x', blocks: Array(5).fill(section('x'.repeat(2_900))) },
    'msg_blocks_too_long',
  ],
])('%s is refused', async (_what, body, word) => {
  const { slack, post } = await receiver()
  expect(await post(body)).toMatchObject({ status: 400, body: word })
  expect(slack.messages).toEqual([])
})

test('a short burst is taken, then one message a second, and the rest is told when to come again', async () => {
  const { post, time } = await receiver()
  for (const _ of [1, 2, 3]) expect(await post({ text: 'x' })).toMatchObject({ status: 200 })
  expect(await post({ text: 'x' })).toMatchObject({
    status: 429,
    body: '{"retry_after":1,"ok":false,"error":"rate_limited"}',
    retryAfter: '1',
  })
  time.ms += 1_000
  expect(await post({ text: 'x' })).toMatchObject({ status: 200 })
  expect(await post({ text: 'x' })).toMatchObject({ status: 429 })
})

test('a webhook that does not exist is no service', async () => {
  const { slack, post } = await receiver()
  expect(await post({ text: 'x' }, `${slack.url}x`)).toMatchObject({ status: 404, body: 'no_service' })
})

test.each(Object.entries(SLACK_TROUBLES))(
  'a webhook in trouble (%s) says so as Slack does',
  async (_, trouble) => {
    const { slack, post } = await receiver()
    slack.behave(trouble)
    expect(await post({ text: 'x' })).toMatchObject(trouble)
    expect(slack.messages).toEqual([])
    slack.behave('well')
    expect(await post({ text: 'x' })).toMatchObject({ status: 200 })
  },
)
