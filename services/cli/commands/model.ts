import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { type ModelBundle, readBundleFolder } from '@freshet/model/bundle/bundle.ts'
import type { ModelPointer } from '@freshet/model/bundle/model-pointer.ts'
import { promoteModel, pushModel, readPointer } from '@freshet/model/bundle/model-store.ts'
import { InferencePool } from '@freshet/model/run/inference-pool.ts'
import { verifyBundle } from '@freshet/model/run/verify-bundle.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'

/** What a data scientist does with a model: prove it, push it, promote it. */
export function modelCommand(): Command {
  return new Command('model')
    .description('check, push and promote models')
    .addCommand(checkCommand())
    .addCommand(pushCommand())
    .addCommand(promoteCommand())
    .addCommand(currentCommand())
}

function checkCommand(): Command {
  return new Command('check')
    .description('score the golden rows of a model folder and compare them with what its author expects')
    .argument('<folder>', 'holds model.onnx, model.json and golden.ndjson')
    .action(async (folder: string) => {
      const bundle = await readBundleFolder(folder)
      await prove(bundle)
      process.stdout.write(
        `${modelLabel(bundle.spec)} scores its ${bundle.golden.length} golden rows as its author did\n`,
      )
    })
}

function pushCommand(): Command {
  return new Command('push')
    .description('check a model folder and upload it; it is used once it is promoted')
    .argument('<folder>')
    .option('--promote', 'promote it at once')
    .action(async (folder: string, { promote = false }: { promote?: boolean }, command: Command) => {
      const { settings } = readInvocation(command)
      const bundle = await readBundleFolder(folder)
      await prove(bundle)
      await using store = openS3(settings.s3)
      await pushModel(store, bundle)
      process.stdout.write(`${modelLabel(bundle.spec)} is pushed\n`)
      if (promote) await promoteAndTell(store, bundle.spec)
    })
}

function promoteCommand(): Command {
  return new Command('promote')
    .description('make a pushed model the current one; promoting an older one rolls back')
    .argument('<name>')
    .argument('<version>')
    .action(async (name: string, version: string, _: unknown, command: Command) => {
      await using store = openS3(readInvocation(command).settings.s3)
      await promoteAndTell(store, { name, version })
    })
}

function currentCommand(): Command {
  return new Command('current')
    .description('show the promoted model')
    .action(async (_: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      await using store = openS3(settings.s3)
      const pointer = await readPointer(store)
      if (json) process.stdout.write(`${JSON.stringify(pointer)}\n`)
      else if (pointer === null) process.stdout.write('no model is promoted\n')
      else
        process.stdout.write(
          `${labelOf(pointer)}, generation ${pointer.generation}, since ${new Date(pointer.promotedAtMs).toISOString()}\n`,
        )
    })
}

async function promoteAndTell(
  store: ReturnType<typeof openS3>,
  model: { name: string; version: string },
): Promise<void> {
  const pointer = await promoteModel(store, model, Date.now())
  process.stdout.write(`${labelOf(pointer)} is current, generation ${pointer.generation}\n`)
}

function labelOf({ name, modelVersion: version }: ModelPointer): string {
  return modelLabel({ name, version })
}

const PROVE_WITHIN_MS = 60_000

/** @throws MODEL_GOLDEN, MODEL_INVALID: before anything is uploaded */
async function prove(bundle: ModelBundle): Promise<void> {
  await using pool = await InferencePool.start(bundle, { threads: 1, runRows: bundle.golden.length })
  await verifyBundle(bundle, pool, AbortSignal.timeout(PROVE_WITHIN_MS))
}
