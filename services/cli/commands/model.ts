import { Command } from 'commander'
import { checkCommand } from '../model/check.ts'
import { importCommand } from '../model/import.ts'
import { listCommand } from '../model/list.ts'
import { currentCommand, promoteCommand, rollbackCommand } from '../model/promote.ts'
import { pushCommand } from '../model/push.ts'
import { shadowCommand } from '../model/shadow.ts'

/** What a data scientist does with a model: import it, prove it, push it, promote it, compare it, roll it back. */
export function modelCommand(): Command {
  return new Command('model')
    .description('check, push, promote, compare and roll back models')
    .addCommand(importCommand())
    .addCommand(checkCommand())
    .addCommand(pushCommand())
    .addCommand(promoteCommand())
    .addCommand(rollbackCommand())
    .addCommand(currentCommand())
    .addCommand(listCommand())
    .addCommand(shadowCommand())
}
