import { readBundleFolder } from '@freshet/model/bundle/bundle.ts'
import { promoteModel, pushModel } from '@freshet/model/bundle/model-store.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'
import { openOwnStore } from './own-store.ts'
import { describeCurrent } from './promote.ts'
import { prove } from './prove.ts'

export function pushCommand(): Command {
  return new Command('push')
    .description('check a model folder and upload it; it is used once it is promoted')
    .argument('<folder>', 'holds model.onnx, model.json and golden.ndjson')
    .option('--promote', 'promote it at once')
    .action(async (folder: string, { promote = false }: { promote?: boolean }, command: Command) => {
      const { settings, json } = readInvocation(command)
      const bundle = await readBundleFolder(folder)
      await prove(bundle)
      await using store = await openOwnStore(settings)
      await pushModel(store, bundle)
      const { name, version } = bundle.spec
      if (!json) process.stdout.write(`${modelLabel({ name, version })} is pushed\n`)
      const pointer = promote ? await promoteModel(store, { name, version }, Date.now()) : null
      if (json) process.stdout.write(`${JSON.stringify({ name, version, promoted: pointer })}\n`)
      else if (pointer !== null) process.stdout.write(describeCurrent(pointer))
    })
}
