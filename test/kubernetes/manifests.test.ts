/** infra/kubernetes against the schemas of Kubernetes and KEDA, and against our own code. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { isServiceName, SERVICE_NAMES } from '@freshet/cli/services.ts'
import { listSettings } from '@freshet/config/describe.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { consumerGroups, TOPICS } from '@freshet/records/topics.ts'
import { ScaledObject, TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1'
import { Deployment } from 'kubernetes-models/apps/v1'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import { Job } from 'kubernetes-models/batch/v1'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { ConfigMap, Namespace, Secret, Service, ServiceAccount } from 'kubernetes-models/v1'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { unseenFields } from './unknown-fields.ts'

const FOLDER = join(import.meta.dirname, '../../infra/kubernetes')

/** Those that a manifest may be of; each knows its schema. */
const KINDS: Readonly<Record<string, { readonly prototype: { validate(): void } }>> = {
  'apps/v1 Deployment': Deployment,
  'autoscaling/v2 HorizontalPodAutoscaler': HorizontalPodAutoscaler,
  'batch/v1 Job': Job,
  'keda.sh/v1alpha1 ScaledObject': ScaledObject,
  'keda.sh/v1alpha1 TriggerAuthentication': TriggerAuthentication,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'v1 ConfigMap': ConfigMap,
  'v1 Namespace': Namespace,
  'v1 Secret': Secret,
  'v1 Service': Service,
  'v1 ServiceAccount': ServiceAccount,
}

interface Container {
  readonly image: string
  readonly args: readonly string[]
  readonly envFrom: readonly {
    readonly configMapRef?: { name: string }
    readonly secretRef?: { name: string }
  }[]
  readonly env?: readonly { readonly name: string; readonly value: string }[]
  readonly ports?: readonly { readonly containerPort: number }[]
  readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } }
  readonly securityContext: object
}

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
  // biome-ignore lint/suspicious/noExplicitAny: the schemas say what is in it
  readonly spec?: any
}

const files = globSync('**/*.yaml', { cwd: FOLDER }).toSorted()
const kustomizations = files.filter((file) => file.endsWith('kustomization.yaml'))
const manifests = files
  .filter((file) => !kustomizations.includes(file))
  .flatMap((file) =>
    parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((document) => ({
      file,
      manifest: document.toJS() as Manifest,
    })),
  )
const ofKind = (...kinds: string[]) =>
  manifests.map(({ manifest }) => manifest).filter(({ kind }) => kinds.includes(kind))
const named = (kind: string, name: string) => ofKind(kind).find(({ metadata }) => metadata.name === name)
const workloads = ofKind('Deployment', 'Job').map(({ kind, metadata: { name, labels }, spec }) => ({
  ...{ kind, name, labels },
  pod: spec.template.spec,
  podLabels: spec.template.metadata.labels as Readonly<Record<string, string>>,
  container: spec.template.spec.containers[0] as Container,
}))

function faultsOf(manifest: Manifest): readonly string[] {
  const kind = KINDS[`${manifest.apiVersion} ${manifest.kind}`]
  if (kind === undefined) return [`no schema for ${manifest.apiVersion} ${manifest.kind}`]
  const faults: string[] = []
  const unseen = unseenFields(manifest, (value) => {
    try {
      kind.prototype.validate.call(value)
    } catch (error) {
      faults.push(String(error))
    }
  })
  return [...unseen.map((path) => `${path} is not a field`), ...faults]
}

describe('the schemas', () => {
  test.each(
    manifests.map(({ file, manifest }) => [`${file} ${manifest.kind} ${manifest.metadata.name}`, manifest]),
  )('%s is what Kubernetes knows', (_, manifest) => {
    expect(faultsOf(manifest as Manifest)).toEqual([])
  })

  test('refuse a field that is not there, one of a wrong type, and one that is missing', () => {
    const poller = named('Deployment', 'poller')!
    const changed = (change: (spec: Manifest['spec']) => void) => {
      const copy = structuredClone(poller)
      change(copy.spec)
      return faultsOf(copy)
    }
    expect(changed(() => {})).toEqual([])
    expect(changed((spec) => (spec.template.spec.containers[0].readinesProbe = {}))).toEqual([
      '/spec/template/spec/containers/0/readinesProbe is not a field',
    ])
    expect(changed((spec) => (spec.replicas = 'two'))).not.toEqual([])
    expect(changed((spec) => delete spec.selector)).not.toEqual([])
    const scaled = structuredClone(named('ScaledObject', 'poller')!)
    scaled.spec.maxReplicas = 3
    expect(faultsOf(scaled)).toEqual(['/spec/maxReplicas is not a field'])
  })
})

test('each file is named by the kustomization of its folder, and what they name is there', () => {
  for (const file of kustomizations) {
    const { resources = [], components = [] } = parse(readFileSync(join(FOLDER, file), 'utf8')) as {
      resources?: string[]
      components?: string[]
    }
    const folder = dirname(file)
    const beside = files.filter((other) => dirname(other) === folder && other !== file)
    const isFile = (name: string) => name.endsWith('.yaml')
    expect(
      resources
        .filter(isFile)
        .map((name) => join(folder, name))
        .toSorted(),
    ).toEqual(beside)
    for (const name of [...resources, ...components].filter((name) => !isFile(name)))
      expect(kustomizations).toContain(relative(FOLDER, join(FOLDER, folder, name, 'kustomization.yaml')))
  }
})

describe('what runs', () => {
  test('is every service, and what prepares their servers', () => {
    const names = workloads.map(({ name }) => name)
    expect(names.toSorted()).toEqual(['bootstrap', ...SERVICE_NAMES].toSorted())
    for (const { name, container } of workloads)
      expect(container.args).toEqual(isServiceName(name) ? ['run', name] : [name])
  })

  test.each(workloads)('$name has no rights that it does not need', ({ pod, container, podLabels, name }) => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(pod.automountServiceAccountToken).toBe(false)
    expect(pod.serviceAccountName).toBe(name)
    expect(named('ServiceAccount', name)).toBeDefined()
    expect(podLabels).toEqual({ 'app.kubernetes.io/name': name })
    expect(named('NetworkPolicy', name)?.spec.podSelector.matchLabels).toEqual(podLabels)
    expect(container.resources).toMatchObject({
      requests: { cpu: expect.anything() },
      limits: { memory: expect.anything() },
    })
  })

  test('only the gateway and the watchdog are reached from elsewhere, at the ports where they listen', () => {
    const settings = loadSettings({ env: {} })
    const ports: Readonly<Record<string, number | null>> = {
      gateway: settings.gateway.port,
      watchdog: settings.watchdog.pagePort,
    }
    for (const { name, container } of workloads) {
      const port = ports[name]
      const listening = port == null ? undefined : [expect.objectContaining({ containerPort: port })]
      expect(container.ports).toEqual(listening)
      expect(named('Service', name)?.spec.ports[0].port).toBe(port ?? undefined)
      expect(named('NetworkPolicy', name)!.spec.ingress?.[0].ports[0].port).toBe(port ?? undefined)
    }
    expect(named('NetworkPolicy', 'default')!.spec).toMatchObject({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    })
  })

  test.each(SERVICE_NAMES)('of %s one at a time is put away', (name) => {
    const budget = named('PodDisruptionBudget', name)!
    expect(budget.spec).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
    })
    const { pod } = workloads.find((workload) => workload.name === name)!
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(10) // a service ends by itself within that
  })
})

describe('settings of the example', () => {
  const known = new Map(listSettings().map((setting) => [setting.env, setting]))

  test.each(workloads)('those of $name are settings, and pass', ({ container }) => {
    const env: Record<string, string> = {}
    for (const { configMapRef, secretRef } of container.envFrom) {
      const open = configMapRef && named('ConfigMap', configMapRef.name)!.data!
      const hidden = secretRef && named('Secret', secretRef.name)!.stringData!
      Object.assign(env, open, hidden)
      for (const name of Object.keys(open ?? {})) expect(known.get(name)?.secret, name).toBe(false)
    }
    for (const { name, value } of container.env ?? []) env[name] = value
    expect(Object.keys(env).filter((name) => !known.has(name))).toEqual([])
    expect(loadSettings({ env }).kafka.user).toMatch(/^freshet-/)
  })
})

describe('scaling', () => {
  const scaled = ofKind('ScaledObject', 'HorizontalPodAutoscaler')

  test('is that of a Deployment that leaves its number to it', () => {
    expect(scaled.map(({ metadata }) => metadata.name).toSorted()).toEqual(['gateway', 'poller', 'scorer'])
    for (const { spec } of scaled) {
      const target = named('Deployment', spec.scaleTargetRef.name)!
      expect(target.spec.replicas).toBeUndefined()
    }
  })

  test('goes no further than there are partitions to share', () => {
    const { partitions } = loadSettings({ env: {} }).kafka
    expect(named('ScaledObject', 'scorer')!.spec.maxReplicaCount).toBe(partitions)
    expect(named('ScaledObject', 'poller')!.spec.maxReplicaCount).toBe(TOPICS.cursors.partitions)
  })

  test('asks for the lag of groups that there are', () => {
    const groups = consumerGroups('freshet').map(({ groupId, topic }) => `${groupId} ${topic}`)
    const triggers = named('ScaledObject', 'scorer')!.spec.triggers as { metadata: Record<string, string> }[]
    expect(triggers.length).toBe(2)
    for (const { metadata } of triggers)
      expect(groups).toContain(`${metadata['consumerGroup']} ${metadata['topic']}`)
  })

  test('shows what the triggers name to be let in', () => {
    for (const { spec } of ofKind('ScaledObject'))
      for (const { authenticationRef } of spec.triggers)
        for (const { name, key } of named('TriggerAuthentication', authenticationRef.name)!.spec
          .secretTargetRef)
          expect(named('Secret', name)!.stringData).toHaveProperty(key)
  })
})
