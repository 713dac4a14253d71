import { readFileSync } from 'node:fs'
import { platform } from 'node:os'
import { expect, test } from 'vitest'
import { demoBundle } from '../bundle/bundles.kit.ts'
import { goldenFeatures } from './golden-features.ts'
import { InferencePool } from './inference-pool.ts'

const MIB = 2 ** 20
/** By then every pool of memory has found its size. */
const SETTLED = 20
const LOADS = 100

/** What no other process shares, and is in use: what a leak makes grow. */
function privateBytes(): number {
  const text = readFileSync('/proc/self/smaps_rollup', 'utf8')
  return Number(/^Private_Dirty: +(\d+) kB$/m.exec(text)![1]) * 1_024
}

/**
 * The session leaks when it is only let go of; so it is released, and its thread ends. Only Linux
 * says what memory is a process's own. The curve: decisions/0013.
 */
test.skipIf(platform() !== 'linux')(
  `a model that is loaded, used and released ${LOADS} times leaves no memory behind`,
  async () => {
    const bundle = await demoBundle()
    const features = goldenFeatures(bundle, 256)
    const signal = AbortSignal.timeout(300_000)
    let settled = Number.NaN
    for (let load = 1; load <= LOADS; load++) {
      await using pool = await InferencePool.start(bundle, { threads: 1, runRows: 64 })
      await pool.run(features, signal)
      if (load === SETTLED) settled = privateBytes()
    }
    // The demo’s model takes 3.5 MiB: 80 that stay would be 280.
    expect((privateBytes() - settled) / MIB).toBeLessThan(24)
  },
  300_000,
)
