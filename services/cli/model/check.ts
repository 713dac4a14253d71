import { readBundleFolder } from '@freshet/model/bundle/bundle.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'
import { prove } from './prove.ts'

export function checkCommand(): Command {
  return new Command('check')
    .description('score the golden rows of a model folder and compare them with what its author expects')
    .argument('<folder>', 'holds model.onnx, model.json and golden.ndjson')
    .action(async (folder: string, _: unknown, command: Command) => {
      const { json } = readInvocation(command)
      const bundle = await readBundleFolder(folder)
      await prove(bundle)
      const { name, version } = bundle.spec
      const goldenRows = bundle.golden.length
      process.stdout.write(
        json
          ? `${JSON.stringify({ name, version, goldenRows })}\n`
          : `${modelLabel({ name, version })} scores its ${goldenRows} golden rows as its author did\n`,
      )
    })
}
