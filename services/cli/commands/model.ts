import { Command } from 'commander'
import { checkCommand } from '../model/check.ts'
import { importCommand } from '../model/import.ts'
import { listCommand } from '../model/list.ts'
import { currentCommand, promoteCommand, rollbackCommand } from '../model/promote.ts'
import { pushCommand } from '../model/push.ts'
import { shadowCommand } from '../model/shadow.ts'

/** What a data scientist does with a model: import it, prove it, push it, promote it, compare it, roll it back. */
export function modelCommand(): Command {
  const model = new Command('model').description('import, check, push, promote, compare and roll back models')
  const commands = [
    importCommand(),
    checkCommand(),
    pushCommand(),
    promoteCommand(),
    rollbackCommand(),
    currentCommand(),
    listCommand(),
    shadowCommand(),
  ]
  for (const command of commands) model.addCommand(command)
  return model
}
