import { listModels } from '@freshet/model/bundle/list-models.ts'
import { readPointer } from '@freshet/model/bundle/pointer-store.ts'
import { readShadow } from '@freshet/model/bundle/shadow-pointer.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'
import { describeModels, withRoles } from './models-with-roles.ts'
import { withStore } from './with-store.ts'

export function listCommand(): Command {
  return new Command('list')
    .description('show all pushed models: which one is current, which was so before, which one is the shadow')
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      const [models, current, shadow] = await withStore(
        settings,
        { doing: 'listing models' },
        (store, signal) =>
          Promise.all([listModels(store, signal), readPointer(store, signal), readShadow(store, signal)]),
      )
      const listed = withRoles(models, current, shadow)
      process.stdout.write(json ? `${JSON.stringify(listed)}\n` : describeModels(listed))
    })
}
