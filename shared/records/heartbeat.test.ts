import { expect, test } from 'vitest'
import { golden } from './golden/golden.kit.ts'
import { type Heartbeat, heartbeatRecord } from './heartbeat.ts'

const told = {
  ...({ version: 1, service: 'scorer', instance: 'scorer-1' } as const),
  startedAtMs: 1_764_000_000_000,
  atMs: 1_764_000_005_000,
  metrics: { 'freshet.scorer.scored': 119, 'freshet.scorer.lag_seconds': 0.25 },
}
const running: Heartbeat = {
  ...told,
  status: 'running',
  progress: { infer: 120, cache: 118 },
  model: 'arrival-delay@1',
  lastError: null,
  lastErrorAtMs: null,
}
const failing: Heartbeat = {
  ...told,
  replaces: { instances: ['scorer-0'], ended: 'SIGKILL' },
  status: 'failing',
  failing: [
    { worker: 'cache', error: 'REDIS_UNREACHABLE: no connection', atMs: 1_764_000_003_000 },
    { worker: 'model', error: 'MODEL_HASH: other bytes', atMs: 1_764_000_004_000 },
  ],
  progress: {},
  model: null,
  lastError: 'MODEL_HASH: other bytes',
  lastErrorAtMs: 1_764_000_004_000,
}

test('heartbeats of version 1 keep their bytes', () => {
  const lines = golden('heartbeat.v1.txt').toString().split('\n')
  expect([running, failing].map(heartbeatRecord.encode)).toEqual(lines)
  expect(lines.map((line) => heartbeatRecord.decode(line))).toEqual([running, failing])
})

test('a heartbeat that does not say when its last error was, as those of older builds, is read', () => {
  const { lastErrorAtMs: _, ...older } = running
  expect(heartbeatRecord.decode(JSON.stringify(older))).toEqual(running)
})
