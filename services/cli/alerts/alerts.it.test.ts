import { randomUUID } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { alertsCommand } from '../commands/alerts.ts'
import type { AlertList } from './alert-list.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  process.exitCode = undefined
})

test('a silence and the maintenance switch are ordered, listed, and taken back', {
  timeout: 240_000,
}, async () => {
  await openPipeline()
  const silence = ['silence', 'lag/*', '--for', '2h', '--reason', 'the disk is changed', '--by', 'anna']
  const ordered = await freshet(...silence)
  await freshet('maintenance', 'on', '--for', '1h', '--reason', 'brokers are upgraded')
  expect(ordered.text).toMatch(/^silence [0-9a-f]{8} of lag\/\* until /)
  const id = ordered.text.split(' ')[1]!

  const listed = await freshet('list', '--json')
  const { orders, alerts } = JSON.parse(listed.text) as AlertList
  expect(orders).toMatchObject([
    { order: 'silence', id, match: 'lag/*', by: 'anna', reason: 'the disk is changed' },
    { order: 'maintenance', reason: 'brokers are upgraded' },
  ])
  expect({ alerts, code: listed.code }).toEqual({ alerts: [], code: 1 }) // no watchdog lives

  expect(await freshet('unsilence', id)).toEqual({ text: `silence ${id} is taken back\n`, code: 0 })
  expect(await freshet('maintenance', 'off')).toEqual({ text: 'maintenance is over\n', code: 0 })
  expect(await freshet('unsilence', id)).toEqual({ text: `there is no silence ${id} in force\n`, code: 1 })
})

/** What a command writes, and the exit code that it leaves. */
async function freshet(...words: string[]): Promise<{ text: string; code: unknown }> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  await alertsCommand().option('--json').parseAsync(words, { from: 'user' })
  const text = write.mock.calls.map(([piece]) => piece).join('')
  write.mockRestore()
  return { text, code: process.exitCode }
}

/** Of its own, in the file of settings that commands read. */
async function openPipeline(): Promise<void> {
  const settings = loadSettings({ env: process.env })
  const pipeline = `test-${randomUUID()}`
  const connection = connectKafka(settings.kafka, { clientId: 'test', log: quietLog })
  await createTopics(connection, pipeline, { ...settings.kafka, partitions: 1 }, AbortSignal.timeout(60_000))
  onTestFinished(async () => {
    const topics = (Object.keys(TOPICS) as TopicName[]).map((name) => topicName(pipeline, name))
    await withAdmin(connection, { doing: 'deleting', signal: AbortSignal.timeout(20_000) }, (admin) =>
      admin.deleteTopics({ topics }),
    )
  })
  const file = join(mkdtempSync(join(tmpdir(), 'freshet-alerts-')), 'freshet.yaml')
  writeFileSync(file, JSON.stringify({ pipeline }))
  vi.stubEnv('FRESHET_CONFIG', file)
}
