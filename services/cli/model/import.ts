import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FreshetError } from '@freshet/errors/errors.ts'
import { BUNDLE_FILES, encodeBundle, type ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { parseModelSpec } from '@freshet/model/bundle/spec.ts'
import { importModel } from '@freshet/model/import/import-model.ts'
import { readExport } from '@freshet/model/import/read-export.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { Command } from 'commander'
import { wantsJson } from '../invocation.ts'
import { tellWhile } from '../tell-while.ts'

interface Options {
  readonly out?: string
  readonly name?: string
  readonly modelVersion?: string
  readonly columns?: readonly string[]
  readonly example?: string
  readonly training?: string
}

export function importCommand(): Command {
  return new Command('import')
    .description('make the draft of a model folder from an MLflow model, or from an ONNX file')
    .argument(
      '<path>',
      'an MLflow model folder with the onnx flavor, or an ONNX file (scikit-learn, LightGBM, XGBoost)',
    )
    .option('--out <folder>', 'where to write the model folder (default: <name>-<version>)')
    .option('--name <name>', 'name of the model (default: of the folder or file)')
    .option('--model-version <version>', 'its version (default: 1)')
    .option(
      '--columns <names>',
      "the columns' names in the model's order, with commas in between",
      splitNames,
    )
    .option('--example <file>', 'documents, one a line as JSON, to make golden rows of')
    .option('--training <file>', 'documents of the training, to note what range each column had')
    .action(async (path: string, options: Options, command: Command) => {
      const { columns, name, modelVersion: version, example: exampleFile, training: trainingFile } = options
      const hints = { name, version, columns, exampleFile, trainingFile }
      const { bundle, toFillIn } = await tellWhile(`importing ${path}`, async () =>
        importModel(await readExport(path, hints)),
      )
      const folder = options.out ?? `${bundle.spec.name}-${bundle.spec.version}`
      await writeBundleFolder(folder, bundle)
      const { spec, golden } = bundle
      process.stdout.write(
        wantsJson(command)
          ? `${JSON.stringify({ folder, spec, goldenRows: golden.length, toFillIn })}\n`
          : describe(folder, bundle, toFillIn),
      )
    })
}

/** Written by hand, a name with blanks after its comma is the same name. */
function splitNames(text: string): string[] {
  return text.split(',').map((name) => name.trim())
}

/** @throws MODEL_INVALID when a name of the command line is none, USAGE when a file is there already */
async function writeBundleFolder(folder: string, bundle: ModelBundle): Promise<void> {
  const files = encodeBundle(bundle)
  parseModelSpec(Buffer.from(files['model.json']).toString())
  await mkdir(folder, { recursive: true })
  for (const file of BUNDLE_FILES)
    await writeFile(join(folder, file), files[file], { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw new FreshetError('USAGE', cause.message, { cause })
      throw new FreshetError(
        'USAGE',
        `${join(folder, file)} is there already: name another folder with --out`,
      )
    })
}

function describe(folder: string, { spec, golden }: ModelBundle, toFillIn: readonly string[]): string {
  const { inputs, outputs } = spec
  return [
    `${folder} is the draft of ${modelLabel(spec)}: ${inputs.columns.length} columns, ${golden.length} golden rows`,
    `  columns  ${inputs.columns.map(({ name, type }) => `${name} (${type})`).join(', ')}`,
    `  outputs  ${outputs.map(({ name }) => name).join(', ')}`,
    'to fill in or to confirm:',
    ...toFillIn.map((what) => `  - ${what}`),
    `next: \`freshet model check ${folder}\`, with --live to compare with what is in Elasticsearch\n`,
  ].join('\n')
}
