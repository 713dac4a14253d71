import type { Facts, InstanceFacts } from '@freshet/records/facts.ts'
import { formatSeconds } from '../format.ts'
import { faultsOf, lastHeardAtMs, livingOf, withoutSuccessor } from './living.ts'
import type { Rule, Scene, Symptom } from './rule.ts'

/** An instance that is gone is no finding once another one of its service has started in its place. */
export const silent: Rule = {
  name: 'silent',
  find(scene) {
    const { now, threshold } = scene
    return withoutSuccessor(goneOf(now, threshold), now.instances)
      .filter((instance) => isSilent(instance, now, threshold) && !saidWhy(instance))
      .map((instance) => symptomOf(instance, scene))
  },
  notKnown: ({ now, threshold }) =>
    withoutSuccessor(
      now.instances.filter((instance) => mayBeSilent(instance, now, threshold)),
      now.instances,
    ).map(({ heartbeat }) => `silent/${heartbeat.instance}`),
}

/** Those whose end was not orderly: they are silent, or said that they cannot go on. */
export function goneOf(facts: Facts, silentSeconds: number): readonly InstanceFacts[] {
  return facts.instances
    .filter(({ heartbeat }) => heartbeat.status !== 'stopping')
    .filter((instance) => instance.heartbeat.status === 'failing' || isSilent(instance, facts, silentSeconds))
}

/** That it cannot go on, as a whole: that is told by what it said. What only a worker complained of does not end it. */
function saidWhy({ heartbeat }: InstanceFacts): boolean {
  return faultsOf(heartbeat).some(({ worker }) => worker === heartbeat.service)
}

/** By what was heard of others: while nobody is heard, nobody is called silent. */
function isSilent({ heardAtMs }: InstanceFacts, facts: Facts, silentSeconds: number): boolean {
  const { answersSinceMs } = facts.kafka
  if (answersSinceMs === null) return false
  return lastHeardAtMs(facts) - Math.max(heardAtMs, answersSinceMs) > silentSeconds * 1_000
}

/** Not heard since Kafka answers again, and not long enough not to be: whether it was silent before does not show yet. */
function mayBeSilent(instance: InstanceFacts, facts: Facts, silentSeconds: number): boolean {
  const { status } = instance.heartbeat
  if (status === 'stopping' || status === 'failing') return false
  const { answersSinceMs } = facts.kafka
  const isUnheard = answersSinceMs === null || instance.heardAtMs < answersSinceMs
  return isUnheard && !isSilent(instance, facts, silentSeconds)
}

function symptomOf({ heartbeat, heardAtMs }: InstanceFacts, scene: Scene): Symptom {
  const { service, instance, lastError } = heartbeat
  const seconds = (scene.now.atMs - heardAtMs) / 1_000
  const living = livingOf(scene, service).length
  return {
    id: `silent/${instance}`,
    title: `${instance} has been silent for ${formatSeconds(seconds)}`,
    details: {
      Service: service,
      'Others of it': living === 0 ? 'none' : `${living}`,
      ...(lastError !== null && { 'Last error': lastError }),
    },
    advice: {
      effect:
        living === 0 ? (EFFECTS[service] ?? 'nobody does its work') : 'the others of its service do its work',
      firstLook: 'whether the process runs, or is frozen; then its log',
    },
    measure: { value: seconds },
    ...(living === 0 && { breaks: [`service ${service}`] as const }),
  }
}

/** What callers have of it when the last one of a service is gone. */
const EFFECTS: Readonly<Record<string, string>> = {
  poller: 'no changes are found; scores grow old',
  scorer: 'nothing new is scored; callers get the scores of before',
  gateway: 'nobody answers callers',
  watchdog: 'nobody watches, where no other watchdog runs',
}
