import { readBundleFolder } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'
import { describeCurrent } from './promote.ts'
import { prove } from './prove.ts'
import { withStore } from './with-store.ts'

export function pushCommand(): Command {
  return new Command('push')
    .description('check a model folder and upload it; it is used once it is promoted')
    .argument('<folder>', 'holds model.onnx, model.json and golden.ndjson')
    .option('--promote', 'promote it at once')
    .action(async (folder: string, { promote = false }: { promote?: boolean }, command: Command) => {
      const { settings, json } = readInvocation(command)
      const bundle = await readBundleFolder(folder)
      await prove(bundle)
      const { name, version } = bundle.spec
      const label = modelLabel({ name, version })
      const pointer = await withStore(
        settings,
        { doing: `pushing ${label}`, changes: true },
        async (store, signal) => {
          await pushModel(store, bundle, signal)
          if (!json) process.stdout.write(`${label} is pushed\n`)
          return promote ? await promoteModel(store, { name, version }, Date.now(), signal) : null
        },
      )
      if (json) process.stdout.write(`${JSON.stringify({ name, version, promoted: pointer })}\n`)
      else if (pointer !== null) process.stdout.write(describeCurrent(pointer))
    })
}
