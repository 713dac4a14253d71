import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { listModels } from '@freshet/model/bundle/list-models.ts'
import { readPointer } from '@freshet/model/bundle/model-store.ts'
import { readShadow } from '@freshet/model/bundle/shadow-pointer.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'
import { describeModels, withRoles } from './models-with-roles.ts'

export function listCommand(): Command {
  return new Command('list')
    .description('show all pushed models: which one is current, which was so before, which one is the shadow')
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      await using store = openS3(settings.s3)
      const [models, current, shadow] = await Promise.all([
        listModels(store),
        readPointer(store),
        readShadow(store),
      ])
      const listed = withRoles(models, current, shadow)
      process.stdout.write(json ? `${JSON.stringify(listed)}\n` : describeModels(listed))
    })
}
