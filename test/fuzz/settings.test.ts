/** Files of settings and of rules, the environment, what Redis says of how far it is filled, what webhooks say of when to come again. */
import { Buffer } from 'node:buffer'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodePositions, readMark } from '@freshet/adapters/redis/fill-mark.ts'
import { listSettings } from '@freshet/config/describe.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { loadRules } from '@freshet/config/load-rules.ts'
import { retryAfterMs } from '@freshet/stage/retry-after.ts'
import { afterAll, expect } from 'vitest'
import { fuzz } from './fuzz.kit.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(bytes: Buffer): string {
  const path = join(folder, 'freshet.yaml')
  writeFileSync(path, bytes)
  return path
}

const settings = {
  elasticsearch: { url: 'http://127.0.0.1:9200', index: 'flights' },
  kafka: { brokers: ['127.0.0.1:9092'] },
  gateway: { deadlineMs: 100 },
  watchdog: { rules: { lag: { forSeconds: 30 } } },
}
/** The YAML reader's time grows with the square of the depth; these files are the operator's own, so longer ones are left out. */
const MAX_YAML_BYTES = 10_000
/** The YAML reader keeps the place of every token. */
const maxKeptBytes = (inputBytes: number) => 48 * 2 ** 20 + 2_000 * inputBytes

fuzz({
  name: 'settings-file',
  format: 'json',
  codes: ['CONFIG_INVALID'],
  valid: [
    Buffer.from('pipeline: air\nelasticsearch:\n  index: flights\n'),
    Buffer.from(JSON.stringify(settings)),
  ],
  share: 0.3,
  maxKeptBytes,
  read(bytes) {
    if (bytes.length > MAX_YAML_BYTES) return
    const { gateway } = loadSettings({ file: fileOf(bytes), env: {} })
    expect(gateway.deadlineMs).toSatisfy(Number.isSafeInteger)
  },
})

fuzz({
  name: 'rules-file',
  format: 'json',
  codes: ['RULES_INVALID'],
  valid: [Buffer.from('lag:\n  forSeconds: 30\n'), Buffer.from(JSON.stringify(settings))],
  share: 0.3,
  maxKeptBytes,
  read: (bytes) => bytes.length > MAX_YAML_BYTES || loadRules(fileOf(bytes)),
})

const names = listSettings().map(({ env }) => env)

fuzz({
  name: 'environment',
  format: 'json',
  codes: ['CONFIG_INVALID'],
  valid: [Buffer.from('FRESHET_GATEWAY_DEADLINE_MS=50'), Buffer.from('FRESHET_KAFKA_BROKERS=a:1,b:2')],
  share: 0.3,
  maxKeptBytes,
  read(bytes) {
    if (bytes.length > MAX_YAML_BYTES) return
    const [name, ...value] = bytes.toString().split('=')
    loadSettings({ env: { [names.includes(name!) ? name! : 'FRESHET_GATEWAY_DEFAULT']: value.join('=') } })
  },
})

fuzz({
  name: 'fill-mark',
  format: 'bytes',
  codes: [],
  valid: [Buffer.from('filled 5f3a c0ffee 0:120,1:95'), Buffer.from('filling 5f3a')],
  read(bytes) {
    const { positions } = readMark(bytes.toString())
    for (const at of decodePositions(positions)?.flat() ?? []) expect(at).toSatisfy(Number.isSafeInteger)
  },
})

fuzz({
  name: 'retry-after',
  format: 'bytes',
  codes: [],
  valid: [Buffer.from('120'), Buffer.from('Wed, 21 Oct 2026 07:28:00 GMT'), Buffer.from('1e300')],
  read(bytes) {
    const ms = retryAfterMs(bytes.toString(), { nowMs: 1_700_000_000_000, maxMs: 3_600_000 })
    expect(ms).toSatisfy((value: number) => value >= 0 && value <= 3_600_000)
  },
})
