import { expect, test } from 'vitest'
import { whatWasTold } from './told.ts'

const header = (text: string) => ({ type: 'header', text: { type: 'plain_text', text, emoji: true } })
const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } })
const message = (...blocks: object[]) => ({ text: 'FIRING: not this one', blocks, receivedAtMs: 7 })

test('a message about one alert is its headline', () => {
  expect(
    whatWasTold([message(header('🔴 FIRING: t-infer is 5 min behind'), section('*Effect:* none'))]),
  ).toEqual([{ change: 'FIRING', title: 't-infer is 5 min behind', atMs: 7 }])
  expect(whatWasTold([message(header('RESOLVED after 5 min: Kafka cannot be read'))])).toMatchObject([
    { change: 'RESOLVED', title: 'Kafka cannot be read' },
  ])
})

test('a message about several is all of them, and not its own headline', () => {
  const told = whatWasTold([
    message(
      header('🔴 2 FIRING, 2 RESOLVED: Redis &amp; co, and 3 more'),
      section('🔴 *FIRING: Redis &amp; co*'),
      section('🟢 *RESOLVED after 12 s: S3: gone*'),
      section('🟠 STILL FIRING after 4 h: drift\n🟠 FLAPPING: lag'),
    ),
  ])
  expect(told.map(({ change, title }) => [change, title])).toEqual([
    ['FIRING', 'Redis & co'],
    ['RESOLVED', 'S3: gone'],
    ['STILL FIRING', 'drift'],
    ['FLAPPING', 'lag'],
  ])
})
