import type { S3ObjectStore } from '@freshet/adapters/s3/s3-object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { PushedModel } from '@freshet/model/bundle/bundle-store.ts'
import { listModels } from '@freshet/model/bundle/list-models.ts'
import { readShadow } from '@freshet/model/bundle/shadow-pointer.ts'
import { readShadowReport } from '@freshet/model/shadow/stored-report.ts'
import { summarize } from '@freshet/model/shadow/summarize.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'
import { describeShadowReport } from './describe-shadow-report.ts'
import { withStore } from './with-store.ts'

const NOTHING_YET = 1

/** Of the shadow of now, or of one that is over. Exit code 1 while there is nothing to report. */
export function shadowReportCommand(): Command {
  return new Command('report')
    .description('how a shadow scores beside the current model')
    .argument('[name]', 'of the model (default: the shadow of now)')
    .argument('[version]')
    .action(async (name: string | undefined, version: string | undefined, _: unknown, command: Command) => {
      const { settings, json } = readInvocation(command)
      const doing = 'reading the report of the shadow'
      const { label, report } = await withStore(settings, { doing }, async (store, signal) => {
        const label = name === undefined ? await currentShadow(store, signal) : labelOf(name, version)
        const report = await readShadowReport(store, label, signal)
        if (report === null && name !== undefined)
          await checkPushed(store, { name, version: version! }, signal)
        return { label, report }
      })
      if (report === null) process.exitCode = NOTHING_YET
      if (json) {
        process.stdout.write(`${JSON.stringify(report && { ...report, summary: summarize(report) })}\n`)
      } else if (report === null) {
        process.stdout.write(`${label} has no report yet: scorers write one a minute\n`)
      } else process.stdout.write(describeShadowReport(report))
    })
}

/** @throws MODEL_MISSING: no scorer will ever report of it */
async function checkPushed(store: S3ObjectStore, model: PushedModel, signal: AbortSignal): Promise<void> {
  const models = await listModels(store, signal)
  if (models.some(({ name, version }) => name === model.name && version === model.version)) return
  throw new FreshetError('MODEL_MISSING', `${modelLabel(model)} was never pushed`)
}

async function currentShadow(store: S3ObjectStore, signal: AbortSignal): Promise<string> {
  const shadow = await readShadow(store, signal)
  if (shadow !== null) return modelLabel({ name: shadow.name, version: shadow.modelVersion })
  throw new FreshetError(
    'USAGE',
    'no model is a shadow: name one that was, or make one with `freshet model shadow`',
  )
}

function labelOf(name: string, version: string | undefined): string {
  if (version !== undefined) return modelLabel({ name, version })
  throw new FreshetError('USAGE', 'name and version are wanted, as in `freshet model shadow report delay 2`')
}
