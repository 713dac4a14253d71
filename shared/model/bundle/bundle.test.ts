import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeBundle, readBundle, readBundleFolder } from './bundle.ts'
import { DEMO_FOLDER, demoBundle, edited, fixtureBundle } from './bundles.kit.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freshet-bundle-'))
  await cp(DEMO_FOLDER, folder, { recursive: true })
})

afterEach(() => rm(folder, { recursive: true }))

test('a bundle is the same after it was written and read', async () => {
  const bundle = await demoBundle()
  const files = encodeBundle(bundle)
  expect(await readBundle(async (file) => Buffer.from(files[file]))).toEqual(bundle)
})

describe('a bundle is refused', () => {
  test('when one byte of the model has changed', async () => {
    const onnx = await readFile(join(folder, 'model.onnx'))
    onnx[onnx.length >> 1]! ^= 1
    await writeFile(join(folder, 'model.onnx'), onnx)
    await expect(readBundleFolder(folder)).rejects.toMatchObject({ code: 'MODEL_HASH' })
  })

  test('when a file is not there', async () => {
    await rm(join(folder, 'golden.ndjson'))
    await expect(readBundleFolder(folder)).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' })
  })

  test.each([
    ['no rows', '', 'golden.ndjson has no rows'],
    ['a row that is not JSON', '{}}', 'row 1 is not JSON'],
    ['NaN as Python writes it', '{"document":{"d": NaN}}', 'row 1 is not JSON: NaN and Infinity are no JSON'],
    [
      'a row without the output',
      '{"document":{},"outputs":{"other":1}}',
      'row 1: outputs.arrival_delay_minutes is missing',
    ],
    [
      'text for a score',
      '{"document":{},"outputs":{"arrival_delay_minutes":"1"}}',
      'row 1: outputs.arrival_delay_minutes',
    ],
  ])('when its golden rows are wrong: %s', async (_, text, message) => {
    await writeFile(join(folder, 'golden.ndjson'), text)
    const reading = readBundleFolder(folder)
    await expect(reading).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    await expect(reading).rejects.toThrow(message)
  })

  test.each(['external-data.onnx', 'external-data-in-node.onnx'])(
    'when tensors lie in other files: %s',
    async (file) => {
      const files = encodeBundle(await fixtureBundle(file, [{ name: 'ten', tensor: 'scores', column: 1 }]))
      const reading = readBundle(async (name) =>
        name === 'golden.ndjson'
          ? Buffer.from('{"document":{},"outputs":{"ten":1}}')
          : Buffer.from(files[name]),
      )
      await expect(reading).rejects.toMatchObject({ code: 'MODEL_INVALID' })
      await expect(reading).rejects.toThrow(/external data/)
    },
  )

  test('when the model is no ONNX file, although its hash fits', async () => {
    const bundle = await demoBundle()
    const onnx = Buffer.from('GIF89a')
    const sha256 = createHash('sha256').update(onnx).digest('hex')
    const files = encodeBundle({ ...bundle, onnx, spec: edited(bundle.spec, 'sha256', sha256) })
    await expect(readBundle(async (file) => Buffer.from(files[file]))).rejects.toMatchObject({
      code: 'MODEL_INVALID',
    })
  })
})
