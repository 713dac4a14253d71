import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { pushModel } from '../bundle/bundle-store.ts'
import { demoBundle } from '../bundle/bundles.kit.ts'
import { promoteAgain, promoteModel } from '../bundle/pointer-store.ts'
import { PromotedModel } from './promoted-model.ts'

const { signal } = new AbortController()
const patience = { timeout: 20_000 }
vi.setConfig({ testTimeout: 60_000 })
const demo = await demoBundle()

/** The demo's model under another version; `damaged`: its author claims other scores than it gives. */
async function promote(store: MemoryObjectStore, version: string, damaged = false): Promise<void> {
  const golden = demo.golden.map((row) => ({
    ...row,
    outputs: damaged ? { arrival_delay_minutes: 10_000 } : row.outputs,
  }))
  await pushModel(store, { ...demo, golden, spec: { ...demo.spec, version } })
  await promoteModel(store, { name: demo.spec.name, version }, 0)
}

/** A store of the test's own, and what is told of its model. */
function world() {
  const store = new MemoryObjectStore()
  const used: string[] = []
  const errors: string[] = []
  const warnings: string[] = []
  const troubles: (string | null)[] = []
  const refused = vi.fn()
  const time = { nowMs: 0 }
  const options = {
    store,
    pool: { threads: 1, runRows: 64 },
    intervalMs: 5,
    clock: { ...systemClock, nowMs: () => time.nowMs },
    log: {
      ...quietLog,
      warn: (message: string) => void warnings.push(message),
      error: (message: string, error: unknown) => errors.push(`${message}: ${toFreshetError(error).code}`),
    },
    onModel: (label: string) => used.push(label),
    onRefused: refused,
    onTrouble: (fault: FreshetError | null) => void troubles.push(fault?.code ?? null),
  }
  return { store, options, used, errors, warnings, troubles, refused, time }
}

function following() {
  const all = world()
  const models = PromotedModel.follow(all.options)
  onTestFinished(() => models[Symbol.asyncDispose]())
  return { ...all, models }
}

function labelOf(models: PromotedModel): string {
  using model = models.use()
  return model.label
}

describe('the promoted model, opened', () => {
  test('is waited for while there is none, with one line that says so', async () => {
    const { store, options, errors } = world()
    const opening = PromotedModel.open(options, signal)
    await vi.waitFor(() => expect(errors).toEqual(['waiting for a model: MODEL_MISSING']))
    await promote(store, '1')
    await using models = await opening
    expect(labelOf(models!)).toBe('arrival-delay@1')
  })

  test('is not waited for once the service stops', async () => {
    const stop = new AbortController()
    const opening = PromotedModel.open(world().options, stop.signal)
    stop.abort()
    expect(await opening).toBeNull()
  })

  test('is not waited for when the store will never give it', async () => {
    const { options, store } = world()
    vi.spyOn(store, 'get').mockRejectedValue(new FreshetError('S3_UNAUTHORIZED', 'no'))
    await expect(PromotedModel.open(options, signal)).rejects.toMatchObject({ code: 'S3_UNAUTHORIZED' })
  })

  test('is waited for when the one of now is refused: the next promotion mends that', async () => {
    const { store, options, errors, refused } = world()
    await promote(store, '1', true)
    const opening = PromotedModel.open(options, signal)
    await vi.waitFor(() => expect(errors).toEqual(['arrival-delay@1 is refused: MODEL_GOLDEN']), patience)
    await promote(store, '2')
    await using models = await opening
    expect(labelOf(models!)).toBe('arrival-delay@2')
    expect(refused).toHaveBeenCalledTimes(1)
  })

  test('is replaced by the next one without closing it under a batch', async () => {
    const { store, options, used } = world()
    await promote(store, '1')
    await using models = await PromotedModel.open(options, signal)
    {
      using first = models!.use()
      await promote(store, '2')
      await vi.waitFor(() => expect(used).toEqual(['arrival-delay@1', 'arrival-delay@2']), patience)
      expect(await first.pool.run(first.probe, signal)).toHaveLength(1)
    }
    using second = models!.use()
    expect(second.identity).toEqual({ name: 'arrival-delay', version: '2', generation: 2 })
    expect(await second.pool.run(second.probe, signal)).toHaveLength(1)
  })

  test('that fails its golden rows is refused once, and the one before serves on until the next', async () => {
    const { store, options, used, errors, refused } = world()
    await promote(store, '1')
    await using models = await PromotedModel.open(options, signal)
    await promote(store, '2', true)
    await vi.waitFor(() => expect(errors).toEqual(['arrival-delay@2 is refused: MODEL_GOLDEN']), patience)
    expect(labelOf(models!)).toBe('arrival-delay@1')
    await promote(store, '3')
    await vi.waitFor(() => expect(used).toEqual(['arrival-delay@1', 'arrival-delay@3']), patience)
    expect(refused).toHaveBeenCalledTimes(1)
  })

  test('serves on while the store is away, with one line a minute that says so', async () => {
    const { store, options, errors, time } = world()
    await promote(store, '1')
    await using models = await PromotedModel.open(options, signal)
    const away = vi.spyOn(store, 'get').mockRejectedValue(new FreshetError('S3_UNREACHABLE', 'away'))
    const line = 'the promoted model cannot be read; the last one serves on: S3_UNREACHABLE'
    await vi.waitFor(() => expect(errors).toEqual([line]))
    expect(labelOf(models!)).toBe('arrival-delay@1')
    const looks = away.mock.calls.length
    await vi.waitFor(() => expect(away.mock.calls.length).toBeGreaterThan(looks + 3))
    expect(errors).toEqual([line])
    time.nowMs += 60_000
    await vi.waitFor(() => expect(errors).toEqual([line, line]))
  })
})

describe('a process that starts while the promoted model is damaged', () => {
  const damage: [
    what: string,
    code: string,
    how: (store: MemoryObjectStore, version: string) => Promise<void>,
  ][] = [
    ['its model.onnx has other bytes', 'MODEL_HASH', (store, version) => spoil(store, version, 'model.onnx')],
    ['its model.json is no JSON', 'MODEL_INVALID', (store, version) => spoil(store, version, 'model.json')],
    [
      'its model.onnx is gone',
      'MODEL_MISSING',
      (store, version) => store.delete(objectOf(version, 'model.onnx')),
    ],
  ]
  const objectOf = (version: string, file: string) => `models/${demo.spec.name}/${version}/${file}`
  const spoil = async (store: MemoryObjectStore, version: string, file: string) => {
    await store.put(objectOf(version, file), Buffer.from('spoilt'))
  }

  test.each(damage)(
    'takes the one before under its own generation, and says what is to be mended: %s',
    async (_, code, how) => {
      const { store, models, troubles, warnings, options } = following()
      await promote(store, '1')
      await promote(store, '2')
      await expect.poll(() => models.current?.identity.generation, patience).toBe(2)
      await how(store, '2')
      await using restarted = await PromotedModel.open(options, signal)
      expect(restarted?.current?.identity).toEqual({ name: demo.spec.name, version: '1', generation: 1 })
      expect(restarted?.fault?.code).toBe(code)
      expect(troubles).toContain(code)
      expect(warnings).toEqual(['arrival-delay@1, which was promoted before, scores until that is mended'])
      expect(models.current?.identity.generation).toBe(2) // who has it in use has no trouble
      await promote(store, '3')
      await expect.poll(() => restarted?.current?.identity.generation, patience).toBe(3)
      await expect.poll(() => troubles.at(-1), patience).toBeNull()
    },
  )

  test('waits where there is none before, and says so until another is promoted', async () => {
    const { store, options, troubles } = world()
    await promote(store, '1')
    await spoil(store, '1', 'model.onnx')
    const opening = PromotedModel.open(options, signal)
    await vi.waitFor(() => expect(troubles).toContain('MODEL_HASH'), patience)
    await promote(store, '2')
    await using models = await opening
    expect(models?.current?.identity.generation).toBe(2)
    expect(troubles.at(-1)).toBeNull()
  })

  test('waits for a pointer that cannot be read', async () => {
    const { store, options, troubles } = world()
    await store.put('models/current.json', Buffer.from('{"version":1,'))
    const opening = PromotedModel.open(options, signal)
    await vi.waitFor(() => expect(troubles).toContain('RECORD_MALFORMED'), patience)
    await promote(store, '1')
    await using models = await opening
    expect(models?.current?.label).toBe('arrival-delay@1')
  })

  test('a model that nobody has promoted yet is no trouble', async () => {
    const { errors, troubles } = following()
    await vi.waitFor(() => expect(errors).toEqual(['waiting for a model: MODEL_MISSING']))
    await vi.waitFor(() => expect(troubles.length).toBeGreaterThan(2))
    expect(new Set(troubles)).toEqual(new Set([null]))
  })
})

describe('the promoted model, followed', () => {
  test('serves once it is promoted, and the reason is known until then', async () => {
    const { store, models, used } = following()
    await expect.poll(() => models.fault?.code, patience).toBe('MODEL_MISSING')
    expect(() => models.use()).toThrow(expect.objectContaining({ code: 'MODEL_MISSING' }))
    await promote(store, '1')
    await expect.poll(() => models.current?.label, patience).toBe('arrival-delay@1')
    expect(models.fault).toBeNull()
    expect(used).toEqual([models.current?.label])
  })

  test('that fails its golden rows never serves, whatever else happens meanwhile, and the one before goes on', async () => {
    const { store, models, refused } = following()
    await promote(store, '1')
    await expect.poll(() => models.current, patience).not.toBeNull()
    await promote(store, 'wrong', true)
    await expect.poll(() => models.fault?.code, patience).toBe('MODEL_GOLDEN')
    expect(models.current?.identity.generation).toBe(1)
    const away = vi.spyOn(store, 'get').mockRejectedValue(new FreshetError('S3_UNREACHABLE', 'away'))
    await expect.poll(() => models.fault?.code, patience).toBe('S3_UNREACHABLE')
    away.mockRestore()
    await expect.poll(() => models.fault?.code, patience).toBe('MODEL_GOLDEN')
    expect(refused).toHaveBeenCalledTimes(1)
    await promote(store, '1')
    await expect.poll(() => models.current?.identity.generation, patience).toBe(3)
    expect(models.fault).toBeNull()
  })

  test('whose generation falls is refused: the one in use goes on until a promotion outranks it', async () => {
    const { store, models, refused, errors } = following()
    await promote(store, '1')
    const { body } = await store.get('models/current.json')
    await promote(store, '2')
    await promote(store, '3')
    await expect.poll(() => models.current?.identity.generation, patience).toBe(3)
    await store.put('models/current.json', body)
    await expect.poll(() => models.fault?.code, patience).toBe('MODEL_GENERATION_BEHIND')
    expect(models.current?.identity).toMatchObject({ version: '3', generation: 3 })
    expect(refused).toHaveBeenCalledTimes(1)
    expect(errors).toContain('arrival-delay@1 is refused: MODEL_GENERATION_BEHIND')
    await promoteAgain(store, undefined, 0)
    await expect.poll(() => models.current?.identity, patience).toMatchObject({ version: '1', generation: 4 })
    expect(models.fault).toBeNull()
  })

  test('goes on while the store is away, and the next one comes when it is back', async () => {
    const { store, models } = following()
    await promote(store, '1')
    await expect.poll(() => models.current, patience).not.toBeNull()
    const away = vi.spyOn(store, 'get').mockRejectedValue(new FreshetError('S3_UNREACHABLE', 'away'))
    await expect.poll(() => models.fault?.code, patience).toBe('S3_UNREACHABLE')
    expect(models.current?.identity.generation).toBe(1)
    away.mockRestore()
    await promote(store, 'next')
    await expect.poll(() => models.current?.identity.generation, patience).toBe(2)
  })
})
