import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { settingsSchema } from '@freshet/config/schema.ts'
import { type Facts, factsRecord } from '@freshet/records/facts.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { describe, expect, test } from 'vitest'
import { describeMessages } from './describe-alerts.ts'
import { recordLooks, testRules } from './history.ts'

const settings = settingsSchema.parse({})
const START_MS = Date.UTC(2026, 2, 14, 15)

function file(name: string, text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'freshet-history-')), name)
  writeFileSync(path, text)
  return path
}

/** A look every five seconds at an infer that falls behind for ten minutes, and catches up. */
function history(): string {
  return Array.from({ length: 240 }, (_, look) => {
    const lagSeconds = look < 120 ? look * 5 : 0
    return factsRecord.encode(facts(START_MS + look * 5_000, lagSeconds))
  }).join('\n')
}

function facts(atMs: number, lagSeconds: number): Facts {
  const unseen = { seenAtMs: atMs, value: null, fault: null }
  const heartbeat: Heartbeat = {
    ...({ version: 1, service: 'scorer', instance: 'scorer-1', startedAtMs: 0, status: 'running' } as const),
    ...{ atMs, progress: {}, metrics: {}, model: null, lastError: null, lastErrorAtMs: null },
  }
  const growth = { seconds: 60, by: {} }
  return {
    ...{ version: 1, pipeline: 'air', seenBy: 'watchdog-1', atMs, captureMode: 'seqNo' },
    ...{ snapshotIntervalSeconds: 60, kafka: { answersSinceMs: START_MS, fault: null } },
    groups: [
      {
        ...{ worker: 'infer', groupId: 'air-infer', topic: 'air.changes', members: 1 },
        partitions: [
          {
            ...{ partition: 0, committedOffset: atMs, endOffset: atMs + lagSeconds, lagRecords: lagSeconds },
            ...{ lagSeconds, standsSeconds: 0 },
          },
        ],
      },
    ],
    instances: [{ heartbeat, heardAtMs: atMs, perSecond: {}, lastMinute: growth, lastFiveMinutes: growth }],
    ...{ capture: unseen, snapshot: unseen, model: unseen, redis: unseen },
  }
}

test('rules say which alerts they would have raised in a history, and when', () => {
  const path = file('history.ndjson', history())
  const told = (rules: string) => {
    const { messages, looks } = testRules(file('rules.yaml', rules), path, settings)
    return describeMessages(messages, { looks }).split('\n')
  }
  expect(told('lag: { threshold: 300, forSeconds: 20, severity: warning }')).toEqual([
    expect.stringMatching(
      /^2026-03-14T15:05:25.000Z {2}firing {4}warning {3}air-infer is 5 min behind \(lag\/air-infer\)$/,
    ),
    expect.stringMatching(/^2026-03-14T15:10:15.000Z {2}resolved {2}warning/),
    '240 looks, 2 messages',
    '',
  ])
  expect(told('lag: { enabled: false }')).toEqual(['240 looks, and people would have been told nothing', ''])
})

test('what is wrong with a file is said, and where', () => {
  const rules = file('rules.yaml', '')
  const broken = file('history.ndjson', `${history().split('\n', 1)[0]}\n{"version":1}\n`)
  expect(() => testRules(rules, broken, settings)).toThrow(/history.ndjson, line 2: facts/)
  expect(() => testRules(rules, '/nonexistent', settings)).toThrow(/--history: cannot read/)
  expect(() => testRules(rules, file('history.ndjson', '\n'), settings)).toThrow(/holds no look/)
})

describe('a recording', () => {
  const never = new AbortController().signal
  const untilStopped = (until: AbortSignal) =>
    new Promise<void>((resolve) => until.addEventListener('abort', () => resolve()))

  /** Of ten looks. @param fault what the third line meets */
  async function record(fault: string | null, run = untilStopped) {
    const clock = handClock(START_MS)
    const lines: string[] = []
    const out = new Writable({
      write(line, _, done) {
        if (fault !== null && lines.length === 2)
          return done(Object.assign(new Error(fault), { code: fault }))
        if (line.length > 0) lines.push(`${line}`)
        done()
      },
    })
    const look = { run, look: async () => facts(clock.nowMs(), 0) }
    await recordLooks({ look, clock, intervalMs: 5_000, forMs: 50_000, out }, never)
    return lines.map((line) => factsRecord.decode(line).atMs - START_MS)
  }

  test('has a look every interval until its time is over', async () => {
    expect(await record(null)).toEqual([5, 10, 15, 20, 25, 30, 35, 40, 45, 50].map((s) => s * 1_000))
  })

  test('ends in order when its reader has enough, as `head` has, and with the error when the disk is full', async () => {
    expect(await record('EPIPE')).toEqual([5_000, 10_000])
    await expect(record('ENOSPC')).rejects.toThrow('ENOSPC')
  })

  test('ends with what ends the look', async () => {
    const failing = async () => Promise.reject(new Error('no rights'))
    await expect(record(null, failing)).rejects.toThrow('no rights')
  })
})
