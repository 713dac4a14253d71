import type { S3ObjectStore } from '@freshet/adapters/s3/s3-object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ModelPointer } from '@freshet/model/bundle/model-pointer.ts'
import {
  promoteAgain,
  promoteModel,
  readPointer,
  rollBackModel,
} from '@freshet/model/bundle/pointer-store.ts'
import { MAX_MODEL_GENERATION } from '@freshet/records/revision.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { readInvocation } from '../invocation.ts'
import { timeOf } from '../text.ts'
import { pushedModel } from './pushed-model.ts'
import { withStore } from './with-store.ts'

interface Options {
  readonly again?: boolean
  readonly above?: number
}

export function promoteCommand(): Command {
  return new Command('promote')
    .description(
      'make a pushed model the current one: every document is scored again with it, in the background',
    )
    .argument('[name]')
    .argument('[version]')
    .option('--again', 'give the model that is current a new generation, which scores every document again')
    .option(
      '--above <generation>',
      'with --again, where models/current.json was lost: higher than one that is stored',
      wholeNumber({ from: 1, to: MAX_MODEL_GENERATION - 1 }),
    )
    .action(
      async (
        name: string | undefined,
        version: string | undefined,
        { again = false, above }: Options,
        command: Command,
      ) => {
        const model = name !== undefined && version !== undefined ? pushedModel(name, version) : undefined
        if (model === undefined && (!again || name !== undefined))
          throw new FreshetError(
            'USAGE',
            'name and version are wanted, as in `freshet model promote delay 2`',
          )
        if (above !== undefined && !again) throw new FreshetError('USAGE', '--above goes with --again')
        const doing = `promoting ${model === undefined ? 'the current model again' : modelLabel(model)}`
        await movePointer(command, doing, (store, signal) =>
          again
            ? promoteAgain(store, model, Date.now(), { above: above ?? 0, signal })
            : promoteModel(store, model!, Date.now(), signal),
        )
      },
    )
}

export function rollbackCommand(): Command {
  return new Command('rollback')
    .description('make the model current that was so before; again, the one before that')
    .action(async (_: unknown, command: Command) => {
      await movePointer(command, 'rolling back', (store, signal) => rollBackModel(store, Date.now(), signal))
    })
}

export function currentCommand(): Command {
  return new Command('current')
    .description('show the promoted model')
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      const doing = 'reading which model is current'
      const pointer = await withStore(settings, { doing }, readPointer)
      if (json) process.stdout.write(`${JSON.stringify(pointer)}\n`)
      else process.stdout.write(pointer === null ? 'no model is promoted\n' : describeCurrent(pointer))
    })
}

async function movePointer(
  command: Command,
  doing: string,
  move: (store: S3ObjectStore, signal: AbortSignal) => Promise<ModelPointer>,
): Promise<void> {
  const { settings, json } = readInvocation(command)
  const pointer = await withStore(settings, { doing, changes: true }, move)
  process.stdout.write(json ? `${JSON.stringify(pointer)}\n` : describeCurrent(pointer))
}

export function describeCurrent({ name, modelVersion, generation, promotedAtMs }: ModelPointer): string {
  const label = modelLabel({ name, version: modelVersion })
  return `${label} is current, generation ${generation}, since ${timeOf(promotedAtMs)}\n`
}
