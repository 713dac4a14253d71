import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { parseJson } from '@freshet/records/parse-with.ts'
import type { NamedColumn } from './draft-inputs.ts'
import { type ExampleRow, exampleRows } from './examples.ts'
import type { Export } from './import-model.ts'
import { parseMlmodel } from './mlflow.ts'
import { notImportable } from './not-importable.ts'
import { refuseNative } from './refuse-native.ts'

/** What the command line says beyond the files; it goes before what they say. */
export interface ExportHints {
  readonly name?: string | undefined
  readonly version?: string | undefined
  readonly columns?: readonly string[] | undefined
  /** Documents, one a line; or an input example as MLflow keeps it. */
  readonly exampleFile?: string | undefined
  /** Documents of the training, in the same forms. */
  readonly trainingFile?: string | undefined
}

/**
 * Reads an MLflow model folder (or its file MLmodel), a folder with one ONNX file, or an ONNX file.
 * @throws MODEL_NOT_IMPORTABLE, also when a file is not there
 */
export async function readExport(path: string, hints: ExportHints): Promise<Export> {
  const place = await placeOf(path)
  const mlflow = place.mlmodel === null ? null : parseMlmodel((await read(place.mlmodel)).toString())
  const onnxFile = mlflow === null ? await onnxFileOf(place) : join(place.folder, mlflow.onnxFile)
  const onnx = await read(onnxFile)
  refuseNative(onnxFile, onnx)
  const exampleFile =
    hints.exampleFile ?? (mlflow?.exampleFile ? join(place.folder, mlflow.exampleFile) : undefined)
  const named: NamedColumn[] | undefined = hints.columns?.map((name) => ({ name }))
  const examples = exampleFile === undefined ? [] : await readExamples(exampleFile)
  return {
    onnx,
    name:
      hints.name ?? asLabel(mlflow === null ? basename(onnxFile, '.onnx') : basename(resolve(place.folder))),
    version: hints.version ?? '1',
    columns: named ?? mlflow?.columns ?? null,
    outputs: mlflow?.outputs ?? null,
    examples,
    training: hints.trainingFile === undefined ? [] : await readExamples(hints.trainingFile),
  }
}

interface Place {
  readonly folder: string
  readonly mlmodel: string | null
  /** When it is a file of its own. */
  readonly onnxFile: string | null
}

async function placeOf(path: string): Promise<Place> {
  const found = await stat(path).catch((cause: unknown) => {
    throw notImportable(`${path} cannot be read`, { cause })
  })
  if (found.isDirectory()) {
    const files = await readdir(path)
    if (files.includes('MLmodel')) return { folder: path, mlmodel: join(path, 'MLmodel'), onnxFile: null }
    return { folder: path, mlmodel: null, onnxFile: null }
  }
  const folder = dirname(path)
  if (basename(path) === 'MLmodel') return { folder, mlmodel: path, onnxFile: null }
  return { folder, mlmodel: null, onnxFile: path }
}

async function onnxFileOf({ folder, onnxFile }: Place): Promise<string> {
  if (onnxFile !== null) return onnxFile
  const files = await readdir(folder)
  const models = files.filter((file) => extname(file) === '.onnx')
  if (files.includes('model.json') && models.length > 0)
    throw notImportable(`${folder} is a bundle already: \`freshet model check ${folder}\``)
  if (models.length !== 1)
    throw notImportable(
      models.length === 0
        ? `${folder} has neither a file MLmodel nor one that ends with .onnx`
        : `${folder} has several models: name one of ${models.join(', ')}`,
    )
  return join(folder, models[0]!)
}

/** NDJSON is tried line by line, where the whole is not JSON. */
async function readExamples(file: string): Promise<ExampleRow[]> {
  const text = (await read(file)).toString()
  const naming = { code: 'MODEL_NOT_IMPORTABLE', what: file } as const
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const isOneValue = lines.length < 2 || !lines.every(isJson)
  const rows = exampleRows(isOneValue ? parseJson(text, naming) : lines.map((line) => JSON.parse(line)))
  if (rows === null)
    throw notImportable(`${file} holds no rows: documents one a line, or an input example of MLflow`)
  return rows
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

async function read(file: string): Promise<Buffer> {
  return await readFile(file).catch((cause: unknown) => {
    throw notImportable(`${file} cannot be read`, { cause })
  })
}

/** As spec.ts wants a name: part of an object key. */
function asLabel(name: string): string {
  const label = name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '')
  return label.slice(0, 64) || 'model'
}
