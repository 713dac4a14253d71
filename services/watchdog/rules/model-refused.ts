import { ERRORS, type ErrorCode } from '@freshet/errors/errors.ts'
import type { InstanceFacts } from '@freshet/records/facts.ts'
import type { FailingWorker } from '@freshet/records/heartbeat.ts'
import { listed } from '@freshet/stage/listed.ts'
import { codeOf, faultsOf, livingOf, workerOf } from './living.ts'
import type { Rule } from './rule.ts'
import { serverOf } from './servers.ts'

/** Told of the model, not of each instance that refuses it: all of them do, for the same reason. */
export const modelRefused: Rule = {
  name: 'model-refused',
  find(scene) {
    const { now } = scene
    const refusing = ['scorer', 'gateway']
      .flatMap((service) => livingOf(scene, service))
      .filter(({ heartbeat }) => faultsOf(heartbeat).some(isRefusal))
    const [first] = refusing
    if (first === undefined) return []
    const { error } = faultsOf(first.heartbeat).find(isRefusal)!
    const promoted = now.model.value?.promoted ?? null
    return [
      {
        id: 'model-refused',
        title: `the promoted model${promoted === null ? '' : ` ${promoted}`} cannot be used`,
        details: {
          Error: error,
          'Refused by': listed(refusing.map(({ heartbeat }) => heartbeat.instance)),
          'In use': servedBy(refusing),
        },
        advice: {
          effect: isIdle(refusing)
            ? 'nothing new is scored, for no model is in use'
            : 'all goes on with the model of before; the scores of the new one are missing',
          firstLook: ERRORS[codeOf(error) as ErrorCode]?.hint ?? 'the log of the scorer',
        },
        ...(isIdle(refusing) && { breaks: ['worker scorer/infer'] as const }),
      },
    ]
  },
}

/** What the watchers of the model's pointer say of the model itself, and not of S3. */
export function isRefusal(fault: FailingWorker): boolean {
  const code = codeOf(fault.error)
  return workerOf(fault) === 'model' && code !== 'DEADLINE' && serverOf(code) === undefined
}

function servedBy(instances: readonly InstanceFacts[]): string {
  const models = new Set(instances.map(({ heartbeat }) => heartbeat.model ?? 'none'))
  return [...models].join(', ')
}

/** A scorer without any model scores nothing. */
function isIdle(instances: readonly InstanceFacts[]): boolean {
  const scorers = instances.filter(({ heartbeat }) => heartbeat.service === 'scorer')
  return scorers.length > 0 && scorers.every(({ heartbeat }) => heartbeat.model === null)
}
