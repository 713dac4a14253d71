import { checkWith, parseWith } from '@freshet/records/parse-with.ts'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import type { NamedColumn } from './draft-inputs.ts'
import { notImportable } from './not-importable.ts'

/** What an MLflow model folder says in its file `MLmodel`. */
export interface MlflowModel {
  /** Both relative to the folder. */
  readonly onnxFile: string
  readonly exampleFile: string | null
  /** null where there is no signature, or one of arrays, which have no columns. */
  readonly columns: readonly NamedColumn[] | null
  readonly outputs: readonly string[] | null
}

const mlmodel = z.object({
  flavors: z.record(z.string(), z.unknown()),
  signature: z.object({ inputs: z.string().nullish(), outputs: z.string().nullish() }).nullish(),
  saved_input_example_info: z.object({ artifact_path: z.string() }).nullish(),
})

const onnxFlavor = z.object({ data: z.string() })

/** @throws MODEL_NOT_IMPORTABLE when it is no such file, or has no onnx flavor */
export function parseMlmodel(text: string): MlflowModel {
  const naming = { code: 'MODEL_NOT_IMPORTABLE', what: 'MLmodel' } as const
  const { flavors, signature, saved_input_example_info: example } = checkWith(mlmodel, readYaml(text), naming)
  const { onnx } = flavors
  if (onnx === undefined)
    throw notImportable(
      `the model has the flavors ${Object.keys(flavors).join(', ')} and not onnx: convert it and save it with mlflow.onnx`,
    )
  const { data } = checkWith(onnxFlavor, onnx, { ...naming, what: 'MLmodel: flavors.onnx' })
  return {
    onnxFile: data,
    exampleFile: example?.artifact_path ?? null,
    columns: namedIn(signature?.inputs, 'inputs'),
    outputs: namedIn(signature?.outputs, 'outputs')?.map(({ name }) => name) ?? null,
  }
}

const schema = z.array(
  z.object({ name: z.string().optional(), type: z.unknown(), required: z.boolean().optional() }),
)

/** A schema is JSON within the YAML. null unless every part of it has a name. */
function namedIn(text: string | null | undefined, of: string): NamedColumn[] | null {
  if (text === null || text === undefined) return null
  const parts = parseWith(schema, text, { code: 'MODEL_NOT_IMPORTABLE', what: `MLmodel: signature.${of}` })
  const named = parts.flatMap(({ name, type, required }) =>
    name === undefined || type === 'tensor'
      ? []
      : [{ name, required, type: typeof type === 'string' ? type : undefined }],
  )
  return named.length === parts.length && named.length > 0 ? named : null
}

function readYaml(text: string): unknown {
  try {
    return parseYaml(text)
  } catch (cause) {
    throw notImportable('MLmodel is not YAML', { cause })
  }
}
