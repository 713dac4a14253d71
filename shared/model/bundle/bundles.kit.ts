/** Bundles for tests: the demo's, and small ones around the models of fixtures/. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { scoreDocuments } from '../run/score-documents.ts'
import { type ModelBundle, readBundleFolder, sha256Of } from './bundle.ts'
import { type PushedModel, pushModel } from './bundle-store.ts'

export const DEMO_FOLDER = fileURLToPath(new URL('../../../infra/demo/model', import.meta.url))

export function demoBundle(): Promise<ModelBundle> {
  return readBundleFolder(DEMO_FOLDER)
}

/** Columns /a and /b, both required; outputs as named. The golden row is that of fixtures/two-outputs.onnx. */
export async function fixtureBundle(
  file: string,
  outputs: ModelBundle['spec']['outputs'],
  version = '1',
): Promise<ModelBundle> {
  const onnx = await readFile(new URL(`../fixtures/${file}`, import.meta.url))
  return {
    onnx,
    golden: [{ document: { a: 1, b: 2 }, outputs: { ten: 50, label: 2 } }],
    spec: {
      formatVersion: 1,
      name: 'fixture',
      version,
      sha256: sha256Of(onnx),
      inputs: {
        tensor: 'x',
        columns: [
          { name: 'a', path: '/a', type: 'number', required: true },
          { name: 'b', path: '/b', type: 'number', required: true },
        ],
      },
      outputs,
      golden: { tolerance: 1e-6 },
    },
  }
}

export const twoOutputs: ModelBundle['spec']['outputs'] = [
  { name: 'ten', tensor: 'scores', column: 1 },
  { name: 'label', tensor: 'label', column: 0 },
]

export function fixtureVersion(version: string): PushedModel {
  return { name: 'fixture', version }
}

/** Versions of fixtures/two-outputs.onnx are pushed to it. */
export async function storeWith(...versions: string[]): Promise<MemoryObjectStore> {
  const store = new MemoryObjectStore()
  for (const version of versions)
    await pushModel(store, await fixtureBundle('two-outputs.onnx', twoOutputs, version))
  return store
}

/** A copy with the value at a dotted path replaced; undefined takes it out. */
export function edited<T>(original: T, path: string, value: unknown): T {
  const copy = structuredClone(original)
  const names = path.split('.')
  const last = names.pop()!
  const parent = names.reduce<Record<string, unknown>>(
    (at, name) => at[name] as Record<string, unknown>,
    copy as Record<string, unknown>,
  )
  parent[last] = value
  return copy
}

/** Version 2 of the demo: the same network, which is given the distance in place of the delay, so its scores are others. */
export async function otherVersion(bundle: ModelBundle): Promise<ModelBundle> {
  const path = bundle.spec.inputs.columns.findIndex(({ name }) => name === 'dep_delay')
  const spec = edited(edited(bundle.spec, `inputs.columns.${path}.path`, '/distance'), 'version', '2')
  const documents = bundle.golden.map(({ document }) => Buffer.from(JSON.stringify(document)))
  const scores = await scoreDocuments({ ...bundle, spec }, documents)
  const golden = bundle.golden.map(({ document }, row) => {
    const score = scores[row]!
    return { document, outputs: score.state === 'scored' ? score.outputs : {} }
  })
  return { ...bundle, spec, golden }
}
