import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FreshetError } from '@freshet/errors/errors.ts'
import { parseWith } from '@freshet/records/parse-with.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { z } from 'zod'
import { refuseExternalData } from '../onnx/external-data.ts'
import { encodeModelSpec, type ModelSpec, parseModelSpec } from './spec.ts'

/** A model as it is pushed, promoted and loaded: three files of one folder or object prefix. */
export interface ModelBundle {
  /** model.json */
  readonly spec: ModelSpec
  /** model.onnx; in memory only, never written to disk. */
  readonly onnx: Uint8Array
  /** golden.ndjson: what the model's author got for these documents. At least one row. */
  readonly golden: readonly GoldenRow[]
}

export interface GoldenRow {
  readonly document: Readonly<Record<string, unknown>>
  /** Expected score by output name; every output of the spec. */
  readonly outputs: Readonly<Record<string, number>>
}

export const BUNDLE_FILES = ['model.onnx', 'golden.ndjson', 'model.json'] as const
export type BundleFile = (typeof BUNDLE_FILES)[number]

/** @throws MODEL_FILE_MISSING, MODEL_INVALID, MODEL_HASH */
export async function readBundleFolder(folder: string): Promise<ModelBundle> {
  return readBundle(async (file) => {
    const path = join(folder, file)
    return await readFile(path).catch((cause: unknown) => {
      throw new FreshetError('MODEL_FILE_MISSING', `${path} cannot be read: ${(cause as Error).message}`, {
        cause,
      })
    })
  })
}

/** From wherever the three files are. @throws MODEL_INVALID, MODEL_HASH, and what `read` throws */
export async function readBundle(read: (file: BundleFile) => Promise<Buffer>): Promise<ModelBundle> {
  const [onnx, golden, json] = await Promise.all(BUNDLE_FILES.map(read))
  const spec = parseModelSpec(json!.toString())
  const bundle: ModelBundle = { spec, onnx: onnx!, golden: parseGolden(golden!.toString(), spec) }
  checkHash(bundle)
  refuseExternalData(bundle.onnx)
  return bundle
}

/** The three files' bytes; the same bundle always gives the same. */
export function encodeBundle({ spec, onnx, golden }: ModelBundle): Readonly<Record<BundleFile, Uint8Array>> {
  return {
    'model.onnx': onnx,
    'golden.ndjson': Buffer.from(golden.map((row) => `${JSON.stringify(row)}\n`).join('')),
    'model.json': Buffer.from(encodeModelSpec(spec)),
  }
}

/** @throws MODEL_HASH */
export function checkHash({ spec, onnx }: ModelBundle): void {
  const found = sha256Of(onnx)
  if (found !== spec.sha256)
    throw new FreshetError('MODEL_HASH', `model.onnx of ${modelLabel(spec)} is ${found}, not ${spec.sha256}`)
}

/** In hex, as model.json has it. */
export function sha256Of(onnx: Uint8Array): string {
  return createHash('sha256').update(onnx).digest('hex')
}

const goldenRow = z.strictObject({
  document: z.record(z.string(), z.unknown()),
  outputs: z.record(z.string(), z.number()),
})

function parseGolden(text: string, spec: ModelSpec): GoldenRow[] {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.length === 0) throw new FreshetError('MODEL_INVALID', 'golden.ndjson has no rows')
  return lines.map((line, index) => parseGoldenRow(line, `golden.ndjson: row ${index + 1}`, spec))
}

function parseGoldenRow(line: string, place: string, { outputs }: ModelSpec): GoldenRow {
  const row = parseWith(goldenRow, line, { code: 'MODEL_INVALID', what: place })
  const absent = outputs.find(({ name }) => !Object.hasOwn(row.outputs, name))
  if (absent) throw new FreshetError('MODEL_INVALID', `${place}: outputs.${absent.name} is missing`)
  return row
}
