/** What is broken, and what people must be told of it. Those of a round are broken at the same time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import type { RuleName } from '@freshet/config/alert-rules.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { otherVersion } from '@freshet/model/bundle/bundles.kit.ts'
import { POINTER_OBJECT } from '@freshet/model/bundle/model-pointer.ts'
import { promoteAgain, promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { groupName, topicName, type Worker } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import type { ProcessName } from '../stack.ts'
import type { AlertFault, Cause } from './fault.ts'
import type { AlertWorld } from './world.ts'

/** What was written meanwhile is behind until the next poller has come to it. */
const CAPTURE: Cause = () => /^the capture of /
const DEGRADED = /of the answers are degraded$/
/** A gateway that comes to itself answers whom it had left waiting. */
const LATE: Cause = () => /of the answers come after their deadline$/

export const ROUNDS: readonly (readonly AlertFault[])[] = [
  [
    killed('poller', CAPTURE),
    frozen('scorer', groupOf('infer')),
    killed('scorer-2', groupOf('cache')),
    killed('gateway'),
    killed('watchdog'),
  ],
  [
    corruptDocument(),
    brokenModel(),
    stoppedInOrder('scorer-3', 'snapshot-stale', () => /^the snapshot is/),
    stoppedInOrder('scorer-2', 'lag', groupOf('cache')),
    frozen('gateway', LATE),
  ],
  [
    stoppedInOrder('poller', 'capture-behind', () => /^the capture of .* behind/),
    rewound(),
    slowForTheGateway(),
  ],
  [away('redis', 'Redis'), away('s3', 'S3'), away('elasticsearch', 'Elasticsearch'), stuttering()],
  [frozenKafka()],
]

function killed(name: ProcessName, ...consequences: readonly Cause[]): AlertFault {
  let pid = 0
  return {
    title: `\`${name}\` is killed (-9)`,
    rule: 'silent',
    cause: () => instanceOf(name, pid),
    consequences,
    async begin({ stack }) {
      pid = stack.pidOf(name)
      await stack.stop(name, 'SIGKILL')
      return async () => stack.start(name)
    },
  }
}

function frozen(name: ProcessName, ...consequences: readonly Cause[]): AlertFault {
  let pid = 0
  return {
    title: `\`${name}\` stands still (SIGSTOP)`,
    rule: 'silent',
    cause: () => instanceOf(name, pid),
    consequences,
    async begin({ stack }) {
      pid = stack.pidOf(name)
      process.kill(pid, 'SIGSTOP')
      return async () => void process.kill(pid, 'SIGCONT')
    },
  }
}

/** As an operator may do it and forget it: the part says goodbye, so nobody is silent, and its work is left undone. */
function stoppedInOrder(name: ProcessName, rule: RuleName, cause: Cause): AlertFault {
  return {
    title: `\`${name}\` is stopped in order, and nobody takes its place`,
    rule,
    cause,
    async begin({ stack }) {
      await stack.stop(name)
      return async () => stack.start(name)
    },
  }
}

function corruptDocument(): AlertFault {
  return {
    title: 'A document that no model can score',
    rule: 'dead-letters',
    lingersSeconds: 300,
    cause: () => /^\d+ changes? could not be scored$/,
    async begin(world) {
      await world.write({ corrupt: { carrier: 'UA', note: 'no distance, no schedule' } })
      return async () => {}
    },
  }
}

function brokenModel(): AlertFault {
  return {
    title: 'A model is promoted whose file is damaged',
    rule: 'model-refused',
    cause: () => /^the promoted model arrival-delay@2 cannot be used$/,
    async begin({ stack }) {
      const model = await otherVersion(stack.bundle)
      await pushModel(stack.store, model)
      const file = `models/${model.spec.name}/${model.spec.version}/model.onnx`
      const damage = () => stack.store.put(file, Buffer.from('damaged'))
      await promoteModel(beforePutOf(POINTER_OBJECT, stack.store, damage), model.spec, Date.now())
      return async () => {
        await pushModel(stack.store, model)
        await promoteAgain(stack.store, undefined, Date.now())
      }
    },
  }
}

/** A promotion looks at the model's files itself, and who follows it takes them at once: so they are damaged in between. */
function beforePutOf(key: string, store: ObjectStore, act: () => Promise<unknown>): ObjectStore {
  const put: ObjectStore['put'] = async (name, ...rest) => {
    if (name === key) await act()
    return await store.put(name, ...rest)
  }
  return new Proxy(store, {
    get: (_, name: keyof ObjectStore) => (name === 'put' ? put : store[name].bind(store)),
  })
}

/** As a careless hand does it with Kafka's tools. */
function rewound(): AlertFault {
  return {
    title: 'The offsets of the cache’s group are put back to the beginning',
    rule: 'rewind',
    cause: ({ stack }) =>
      new RegExp(`^the committed offset of ${groupName(stack.settings.pipeline, 'cache')} went back`),
    consequences: [groupOf('cache')], // what is read again is old
    async begin({ stack }) {
      const { kafka, pipeline } = stack.settings
      await stack.stop('scorer-2')
      const call = { doing: 'putting back', signal: AbortSignal.timeout(30_000) }
      await withAdmin(connectKafka(kafka, { clientId: 'test', log: quietLog }), call, (admin) =>
        admin.resetOffsets({
          groupId: groupName(pipeline, 'cache'),
          topic: topicName(pipeline, 'scores'),
          earliest: true,
        }),
      )
      return async () => stack.start('scorer-2')
    },
  }
}

/** Longer than the gateway waits for it, and no trouble to anybody else. */
function slowForTheGateway(): AlertFault {
  return {
    title: 'Redis answers the gateway too late for its budget',
    rule: 'fallback-ratio',
    isAlsoStarvation: true,
    cause: () => DEGRADED,
    async begin({ doors }) {
      doors.redisOfGateway.delayMs = 30
      return async () => {
        doors.redisOfGateway.delayMs = 0
      }
    },
  }
}

/** As under a quota of CPU: it stands still for a while again and again, and whoever asked meanwhile is answered late. */
function stuttering(): AlertFault {
  return {
    title: '`gateway` gets the CPU in turns only (SIGSTOP for 200 ms, again and again)',
    rule: 'deadline-misses',
    isAlsoStarvation: true,
    cause: LATE,
    consequences: [() => DEGRADED], // to be in time it asks nobody else
    async begin({ stack }) {
      const pid = stack.pidOf('gateway')
      const over = new AbortController()
      const stutter = (async () => {
        while (!over.signal.aborted) {
          process.kill(pid, 'SIGSTOP')
          await sleep(200)
          process.kill(pid, 'SIGCONT')
          await sleep(100)
        }
      })()
      return async () => {
        over.abort()
        await stutter
      }
    },
  }
}

function away(server: Exclude<keyof AlertWorld['doors'], 'redisOfGateway'>, name: string): AlertFault {
  return {
    title: `${name} is away`,
    rule: 'unreachable',
    cause: () => new RegExp(`^${name} does not answer|cannot reach ${name}`),
    async begin({ doors }) {
      const shut = server === 'redis' ? [doors.redis, doors.redisOfGateway] : [doors[server]]
      await Promise.all(shut.map((door) => door.slam()))
      return async () => void (await Promise.all(shut.map((door) => door.open())))
    },
  }
}

function frozenKafka(): AlertFault {
  return {
    title: 'Kafka stands still (SIGSTOP)',
    rule: 'unreachable',
    unseenSeconds: 20, // of a look at Kafka
    cause: () => /^Kafka does not answer/,
    async begin({ kafka }) {
      kafka.freeze()
      return async () => kafka.thaw()
    },
  }
}

/** Instances are named after their host and process. */
function instanceOf(name: ProcessName, pid: number): RegExp {
  return new RegExp(`^${name.split('-')[0]}\\S*-${pid}\\S* has been silent`)
}

/** What waits for it is late, whether or not it still counts on its reader. */
function groupOf(worker: Worker): Cause {
  return ({ stack }) =>
    new RegExp(`^${groupName(stack.settings.pipeline, worker)} (is .* behind|has stood still)`)
}
