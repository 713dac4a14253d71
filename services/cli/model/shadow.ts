import { FreshetError } from '@freshet/errors/errors.ts'
import type { PushedModel } from '@freshet/model/bundle/bundle-store.ts'
import {
  clearShadow,
  readShadow,
  type ShadowPointer,
  setShadow,
} from '@freshet/model/bundle/shadow-pointer.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { Command } from 'commander'
import { readInvocation } from '../invocation.ts'
import { timeOf } from '../text.ts'
import { pushedModel } from './pushed-model.ts'
import { shadowReportCommand } from './shadow-report.ts'
import { type StoreTask, withStore } from './with-store.ts'

/** `freshet model shadow [name version | --off]`; without either it tells which model is the shadow. */
export function shadowCommand(): Command {
  return new Command('shadow')
    .description('let a pushed model score beside the current one, for comparison only')
    .argument('[name]')
    .argument('[version]')
    .option('--off', 'end the comparison')
    .addCommand(shadowReportCommand().exitOverride())
    .action(
      async (name: string | undefined, version: string | undefined, { off = false }, command: Command) => {
        if ((name === undefined) !== (version === undefined) || (off && name !== undefined))
          throw new FreshetError('USAGE', 'either name and version, or --off, or nothing')
        const { settings, json } = readInvocation(command)
        const model = name !== undefined && version !== undefined ? pushedModel(name, version) : undefined
        const shadow = await withStore(settings, taskOf(model, off), async (store, signal) => {
          if (off) await clearShadow(store, signal)
          return model === undefined
            ? await readShadow(store, signal)
            : await setShadow(store, model, Date.now(), signal)
        })
        process.stdout.write(json ? `${JSON.stringify(shadow)}\n` : describeShadow(shadow))
      },
    )
}

/** Who only looks may do so in another pipeline's prefix too, and waits no longer than for one small answer. */
export function taskOf(model: PushedModel | undefined, off: boolean): StoreTask {
  if (model !== undefined) return { doing: `making ${modelLabel(model)} the shadow`, changes: true }
  return off
    ? { doing: 'ending the comparison with the shadow', changes: true }
    : { doing: 'looking at the shadow' }
}

function describeShadow(shadow: ShadowPointer | null): string {
  if (shadow === null) return 'no model is a shadow\n'
  const { name, modelVersion: version, sinceMs } = shadow
  return `${modelLabel({ name, version })} scores beside the current model since ${timeOf(sinceMs)}\n`
}
