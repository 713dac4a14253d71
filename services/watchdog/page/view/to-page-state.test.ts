import { settingsSchema } from '@freshet/config/schema.ts'
import { expect, test } from 'vitest'
import { finding, firing, instance, NOW_MS, pageInput, pipelineFacts, shard } from './pipeline-facts.kit.ts'
import { toPageState } from './to-page-state.ts'

const stateOf = (changes: Parameters<typeof pageInput>[0] = {}) => toPageState(pageInput(changes))
const stagesOf = (changes: Parameters<typeof pageInput>[0] = {}) =>
  Object.fromEntries(stateOf(changes).stages.map((stage) => [stage.name, stage]))

test('a pipeline at work is well, and each stage has its rate, its lag and what waits for it', () => {
  const { verdict, freshness, watchdog } = stateOf()
  expect(verdict).toEqual({ level: 'well', headline: 'All is well', hint: null })
  expect(freshness).toMatchObject({ p50Seconds: 0.42, p99Seconds: 1.5 })
  expect(freshness.waitingSeconds).toBeCloseTo(0.4 + 0.3 + 0.2)
  expect(watchdog).toEqual({ instance: 'watchdog-box-315', speaks: true, watchdogs: 1 })
  expect(stagesOf()).toMatchObject({
    capture: { level: 'well', instances: 1, perSecond: 1_243, waiting: 312, behindSeconds: { now: 0.4 } },
    infer: { level: 'well', instances: 2, perSecond: 1_240, waiting: 28, behindSeconds: { now: 0.3 } },
    cache: { level: 'well', instances: 2, perSecond: 1_245 },
    snapshot: { level: 'well', instances: 1, perSecond: 1_190, behindSeconds: { now: 24 } },
    gateway: { level: 'well', instances: 1, waiting: null, behindSeconds: { now: 1.5 } },
  })
})

test('before the first look, and where nothing runs, the page says so and not that all is well', () => {
  expect(stateOf({ facts: null }).verdict).toMatchObject({
    level: 'unknown',
    headline: 'The first look is under way',
  })
  for (const { instances } of stateOf({ facts: null }).stages) expect(instances).toBe(null)
  const unheard = stagesOf({ facts: pipelineFacts({ instances: [], unheard: true }) })
  expect([unheard.infer, unheard.gateway]).toMatchObject([{ instances: 2 }, { instances: null }])
  const alone = stateOf({ facts: pipelineFacts({ instances: [instance('watchdog-box-1')] }) })
  expect(alone.stages.find(({ name }) => name === 'gateway')?.instances).toBe(0)
  expect(alone.verdict).toMatchObject({ level: 'unknown', headline: 'Nothing runs yet' })
  const fault = { sinceMs: NOW_MS - 9_000, error: 'KAFKA_UNREACHABLE: no broker' }
  const blind = stateOf({ facts: pipelineFacts({ kafka: { answersSinceMs: null, fault } }) })
  expect(blind.verdict).toMatchObject({ level: 'unknown', headline: 'Kafka cannot be read' })
  expect(blind.unseen).toEqual([{ what: 'Kafka', ...fault }])
  expect(blind.stages.find(({ name }) => name === 'infer')).toMatchObject({
    waiting: null,
    behindSeconds: { now: null },
  })
})

test('where no watchdog speaks, or only one that listens is left, nobody judges, and the page does not say that all is well', () => {
  const verdictOf = (speaks: boolean | null, facts = pipelineFacts()) =>
    stateOf({ watcher: { instance: 'watchdog-box-315', speaks }, facts }).verdict
  expect(verdictOf(null)).toMatchObject({ level: 'unknown', headline: 'Nobody judges' })
  expect(verdictOf(false)).toMatchObject({ level: 'unknown', headline: 'Nobody judges' })
  const { instances } = pipelineFacts()
  const withAnother = (atMs: number) =>
    pipelineFacts({ instances: [...instances, instance('watchdog-box-9', { atMs })] })
  expect(verdictOf(false, withAnother(NOW_MS - 2_000)).headline).toBe('All is well')
  expect(verdictOf(false, withAnother(NOW_MS - 90_000)).headline).toBe('Nobody judges')
})

test('one alert is the headline; of several it is said how many there are and how grave', () => {
  expect(stateOf({ alerts: [firing()] }).verdict).toMatchObject({
    level: 'critical',
    headline: 'flights-infer is 4 min behind',
  })
  const drift = firing({ id: 'drift/delay', kind: 'drift', severity: 'warning', title: 'scores drift' })
  expect(stateOf({ alerts: [drift] }).verdict).toMatchObject({ level: 'warning', headline: 'Scores drift' })
  expect(stateOf({ alerts: [drift, firing()] }).verdict).toMatchObject({
    level: 'critical',
    headline: '2 alerts, 1 of them critical',
  })
})

test('an alert stands with what it means, its figures and its runbook; the gravest first, what is over last and not for long', () => {
  const resolved = { ...firing(), phase: 'resolved', resolvedAtMs: NOW_MS - 60_000 } as const
  const old = { ...resolved, resolvedAtMs: NOW_MS - 3_600_000 }
  const pending = { ...firing({ id: 'lag/flights-cache' }), phase: 'pending', badSinceMs: NOW_MS } as const
  const drift = firing({ id: 'drift/delay', kind: 'drift', severity: 'warning' })
  const { alerts } = stateOf({ alerts: [old, resolved, pending, drift, firing()] })
  expect(alerts.map(({ id, phase }) => `${id} ${phase}`)).toEqual([
    'lag/flights-infer firing',
    'drift/delay firing',
    'lag/flights-cache pending',
    'lag/flights-infer resolved',
  ])
  expect(alerts[0]).toMatchObject({
    runbook: { file: 'docs/runbooks/lag.md', url: null },
    effect: 'scores grow old',
    details: expect.arrayContaining([{ name: 'Topic', value: 'flights.changes' }]),
    measure: { unit: 's', threshold: 60, values: expect.arrayContaining([62, 241]) },
    kibana: null,
  })
})

test.each([
  [{ id: 'lag/flights-cache' }, ['cache']],
  [{ id: 'stall/flights-infer', kind: 'stall' }, ['infer']],
  [{ id: 'stall/capture', kind: 'stall' }, ['capture']],
  [{ id: 'rewind/capture', kind: 'rewind' }, ['capture']],
  [{ id: 'rewind/snapshot', kind: 'rewind' }, ['snapshot']],
  [{ id: 'rewind/flights-cache', kind: 'rewind' }, ['cache']],
  [{ id: 'capture-behind/flights/0', kind: 'capture-behind' }, ['capture']],
  [{ id: 'unreachable/redis', kind: 'unreachable' }, ['cache', 'gateway']],
  [{ id: 'silent/scorer-box-312', kind: 'silent' }, ['infer', 'cache', 'snapshot']],
  [{ id: 'failing/gateway', kind: 'failing' }, ['gateway']],
  [{ id: 'fallback-ratio', kind: 'fallback-ratio' }, ['gateway']],
] as const)('the trouble %j is seen at %j', (changes, stages) => {
  const bad = stateOf({ alerts: [firing(changes)] }).stages.filter(({ level }) => level === 'critical')
  expect(bad.map(({ name }) => name)).toEqual(stages)
})

test('a scorer whose snapshot worker alone fails is well at the other stages', () => {
  const failing = [{ worker: 'snapshot', error: 'S3_UNREACHABLE: no answer', atMs: NOW_MS }]
  const scorer = instance('scorer-box-312', { status: 'failing', failing })
  const { instances, ...facts } = pipelineFacts()
  const stages = stagesOf({
    facts: { ...facts, instances: [...instances.slice(0, 1), scorer] },
    alerts: [firing({ id: 'failing/scorer', kind: 'failing' })],
  })
  expect(stages['snapshot']?.level).toBe('critical')
  expect([stages['infer']?.level, stages['cache']?.level]).toEqual(['well', 'well'])
})

test('drift is as bad as its rule says', () => {
  const metrics = { 'freshet.drift.rows': 900, 'freshet.drift.psi.delay': 0.3, 'freshet.drift.psi.cost': 0.1 }
  const facts = pipelineFacts({ instances: [instance('scorer-box-1', { metrics })] })
  const levels = (drift: object) => {
    const settings = settingsSchema.parse({ watchdog: { rules: { drift } } })
    return stateOf({ facts, settings }).model.drift?.outputs.map(({ output, level }) => [output, level])
  }
  expect(levels({})).toEqual([
    ['delay', 'warning'],
    ['cost', 'well'],
  ])
  expect(levels({ threshold: 0.05, severity: 'critical' })).toEqual([
    ['delay', 'critical'],
    ['cost', 'critical'],
  ])
  expect(levels({ enabled: false })?.flat()).not.toContain('warning')
})

test('a stage that nobody does is neither well nor ill', () => {
  const facts = pipelineFacts()
  const stages = stagesOf({
    facts: {
      ...facts,
      instances: facts.instances.filter(({ heartbeat }) => heartbeat.service !== 'gateway'),
    },
  })
  expect(stages['gateway']).toMatchObject({ level: 'unknown', instances: 0, perSecond: null })
})

test('a server is red where the rules find a fault: S3 when none of its looks is answered, or what one says helps nobody', () => {
  const levelOfS3 = (changes: Parameters<typeof pipelineFacts>[0]) =>
    stateOf({ facts: pipelineFacts(changes) }).servers.find(({ name }) => name === 'S3')?.level
  const { snapshot, model } = pipelineFacts()
  const slow = { fault: { sinceMs: NOW_MS - 9_000, error: 'DEADLINE: no answer within 5 s' } }
  const refused = { fault: { sinceMs: NOW_MS - 9_000, error: 'S3_UNAUTHORIZED: 403' } }
  expect(levelOfS3({})).toBe('well')
  expect(levelOfS3({ snapshot: { ...snapshot, ...slow } })).toBe('well')
  expect(levelOfS3({ model: { ...model, ...slow } })).toBe('well')
  expect(levelOfS3({ model: { ...model, ...refused } })).toBe('critical')
  expect(levelOfS3({ snapshot: { ...snapshot, ...slow }, model: { ...model, ...slow } })).toBe('critical')
  const never = { seenAtMs: null, value: null, fault: null }
  expect(levelOfS3({ snapshot: never, model: never })).toBe('unknown')
})

test('of many shards those that are late come first, and the others are counted', () => {
  const shards = Array.from({ length: 60 }, (_, number) =>
    shard(number, { behind: number === 50 ? 9_000 : 0, behindSeconds: number === 50 ? 90 : 0 }),
  )
  const capture = { seenAtMs: NOW_MS, fault: null, value: { shards, unreadCursors: 0, unreadSeconds: 0 } }
  const { capture: state } = stateOf({ facts: pipelineFacts({ capture }) })
  expect(state.shards.rows[0]).toMatchObject({ shard: 50, behindOperations: 9_000 })
  expect([state.shards.rows.length, state.shards.more, state.behindOperations]).toEqual([40, 20, 9_000])
})

test('scoring again shows how far it is and when it is done, by the scorer that is furthest', () => {
  const metrics = (left: number) => ({
    'freshet.rescore.generation': 8,
    'freshet.rescore.left': left,
    'freshet.rescore.total': 1_000,
    'freshet.rescore.began_at': NOW_MS / 1_000 - 60,
  })
  const perSecond = { 'freshet.rescore.rows': 5 }
  const scorers = [400, 410].map((left, at) =>
    instance(`scorer-${at}`, { metrics: metrics(left), perSecond }),
  )
  expect(stateOf({ facts: pipelineFacts({ instances: scorers }) }).model.rescore).toEqual({
    promotion: 8,
    share: 0.6,
    left: 400,
    total: 1_000,
    beganAtMs: NOW_MS - 60_000,
    perSecond: 10,
    leftSeconds: 40,
  })
})

test('answers are shared out by source, over five minutes', () => {
  const { gateway } = stateOf()
  expect(gateway.sources.map(({ source }) => source)).toEqual(['live', 'cache', 'snapshot', 'default'])
  expect(gateway.sources.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
  expect(gateway.sources[1]).toMatchObject({ perSecond: 304, answers: 91_200 })
})

test('orders in force are shown with who gave them, and those that are over are not', () => {
  const stamp = { version: 1, by: 'ada', reason: 'upgrade', atMs: NOW_MS - 1_000 } as const
  const { orders } = stateOf({
    orders: [
      { order: 'maintenance', ...stamp, untilMs: NOW_MS + 60_000 },
      { order: 'silence', ...stamp, id: '3f2a', match: 'lag/*', untilMs: NOW_MS + 1 },
      { order: 'silence', ...stamp, id: 'gone', match: '*', untilMs: NOW_MS },
      { order: 'trace', ...stamp, key: 'flights/1', untilMs: NOW_MS + 1 },
    ],
  })
  expect(orders.maintenance).toMatchObject({ by: 'ada', untilMs: NOW_MS + 60_000 })
  expect(orders.silences.map(({ id }) => id)).toEqual(['3f2a'])
  expect(orders.traces.map(({ key }) => key)).toEqual(['flights/1'])
})

test('what was seen at earlier looks is the history of the later ones', () => {
  const { gauges } = pageInput()
  for (const at of [0, 1, 2])
    stateOf({
      gauges,
      nowMs: NOW_MS + at * 5_000,
      facts: pipelineFacts({ atMs: NOW_MS + at * 5_000 }, { late: at + 1 }),
    })
  const last = stateOf({ gauges, nowMs: NOW_MS + 15_000, facts: pipelineFacts({}, { late: 9 }) })
  const { history } = last.stages.find(({ name }) => name === 'infer')!.behindSeconds
  expect(history).toHaveLength(120)
  expect(history.slice(-5)).toEqual([null, 1, 2, 3, 9])
})

test('the state is plain JSON, small enough to be sent at every look', () => {
  const state = stateOf({ alerts: [firing()] })
  expect(JSON.parse(JSON.stringify(state))).toEqual(state)
  expect(JSON.stringify(state).length).toBeLessThan(40_000)
})

test('links lead into Kibana where there is one', () => {
  const { settings } = pageInput()
  const kibana = { ...settings.kibana, url: 'https://user:secret@kibana.example' }
  const state = stateOf({ settings: { ...settings, kibana }, alerts: [firing()] })
  const urls = [...state.links.map(({ url }) => url), state.alerts[0]?.kibana ?? '']
  expect(urls.length).toBeGreaterThan(1)
  for (const url of urls) expect(url).toMatch(/^https:\/\/kibana\.example\/app\//)
  expect(finding().kind).toBe('lag')
})

test('why answers are degraded is said, the most frequent reason first, and counts as degraded', () => {
  const perSecond = {
    'freshet.answers.cache': 1,
    'freshet.answers.degraded.overloaded': 0.1,
    'freshet.answers.degraded.cache_late': 0.2,
  }
  const state = stateOf({ facts: pipelineFacts({ instances: [instance('gateway-box-1', { perSecond })] }) })
  expect(state.gateway).toMatchObject({
    degradedAnswers: 90,
    degradedFor: [
      { reason: 'cache_late', answers: 60 },
      { reason: 'overloaded', answers: 30 },
    ],
  })
  expect(state.stages.find(({ name }) => name === 'gateway')?.notes).toEqual(['30 % degraded in 5 min'])
})

test('a gateway of an older build, which counts degraded answers without a reason, has as many', () => {
  const perSecond = { 'freshet.answers.cache': 1, 'freshet.answers.degraded': 0.1 }
  const { gateway } = stateOf({
    facts: pipelineFacts({ instances: [instance('gateway-box-1', { perSecond })] }),
  })
  expect(gateway).toMatchObject({ degradedAnswers: 30, degradedFor: [] })
})
