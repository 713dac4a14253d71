import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { readGlobalCheckpoints } from '@freshet/adapters/elasticsearch/global-checkpoints.ts'
import { readIndexUuids } from '@freshet/adapters/elasticsearch/index-uuids.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { RedisPulse } from '@freshet/adapters/redis/redis-pulse.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { cursorKey } from '@freshet/records/cursor.ts'
import type { CaptureFacts, Facts, Sight } from '@freshet/records/facts.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { together } from '../together.ts'
import { CaptureLook } from './capture-look.ts'
import { CursorEar } from './cursor-ear.ts'
import { FactReader } from './fact-reader.ts'
import { Heard } from './heard.ts'
import { hearHeartbeats } from './heartbeat-ear.ts'
import { lookAtModel } from './model-look.ts'
import { ServerWatch } from './server-watch.ts'
import { lookAtSnapshot } from './snapshot-look.ts'
import { tellLag } from './tell-lag.ts'

/** As long as the topic keeps heartbeats, so that a watchdog that starts knows as much as one that runs. */
const REMEMBER_MS = 3_600_000

/** The eyes and ears of a watchdog. */
export interface Look extends AsyncDisposable {
  /** Watches and listens until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>
  /** What there is to be seen now. Never rejects. */
  look(signal: AbortSignal): Promise<Facts>
}

interface LookContext extends Pick<ServiceContext, 'settings' | 'instance'> {
  readonly telemetry: Pick<ServiceContext['telemetry'], 'log' | 'metrics'>
}

/** @throws CONFIG_INVALID */
export function openLook({ settings, instance, telemetry }: LookContext, clock: Clock): Look {
  const { pipeline } = settings
  const { log, metrics } = telemetry
  const captureMode = settings.elasticsearch.mode
  const connection = connectKafka(settings.kafka, { clientId: instance, log })
  const startedAtMs = clock.nowMs()
  const heard = new Heard(startedAtMs)
  const cursors = new CursorEar(pipeline)
  const servers = openServers(settings, { cursors, clock })
  const facts = new FactReader({
    ...{ connection, pipeline, instance, captureMode, heard, cursors, servers: servers.watches, clock },
    snapshotIntervalSeconds: settings.snapshot.intervalSeconds,
    rememberMs: REMEMBER_MS,
  })
  const sinceMs = startedAtMs - REMEMBER_MS
  return {
    look: async (signal) => {
      const seen = await facts.look(signal)
      tellLag(metrics, seen)
      return seen
    },
    run: (signal) =>
      together(
        [
          (until) => hearHeartbeats({ connection, pipeline, heard, sinceMs, clock, log }, until),
          ...(captureMode === 'seqNo'
            ? [(until: AbortSignal) => cursors.listen({ connection, clock, log }, until)]
            : []),
          ...Object.values(servers.watches).map((watch) => (until: AbortSignal) => watch.run(until)),
        ],
        signal,
      ),
    async [Symbol.asyncDispose]() {
      await Promise.all([facts[Symbol.asyncDispose](), servers[Symbol.asyncDispose]()])
    },
  }
}

function openServers(
  settings: ServiceContext['settings'],
  { cursors, clock }: { readonly cursors: CursorEar; readonly clock: Clock },
) {
  const { pipeline, elasticsearch, watchdog } = settings
  const [calmMs, alertMs] = [watchdog.serverIntervalSeconds * 1_000, watchdog.intervalSeconds * 1_000]
  const pauseMs = ({ fault }: Sight<unknown>) => (fault === null ? calmMs : Math.min(calmMs, alertMs))
  const closing = new AsyncDisposableStack()
  const client = closing.use(connectElasticsearch(elasticsearch))
  const store = closing.use(openS3(settings.s3))
  const redis = closing.use(new RedisPulse(settings.redis))
  const captured = new CaptureLook()
  const lookAtCapture = async (signal: AbortSignal): Promise<CaptureFacts['shards']> => {
    if (elasticsearch.mode === 'timestamp') {
      await readIndexUuids(client, elasticsearch.index, signal)
      return []
    }
    const checkpoints = await readGlobalCheckpoints(client, elasticsearch.index, signal)
    const heard = cursors.heard() // after the checkpoints: never ahead of what is seen of them
    const judged = checkpoints.filter(({ indexUuid, shard }) => !heard.newer.has(cursorKey(indexUuid, shard)))
    // Until all cursors are heard they jump, and each look is the first.
    const look = cursors.isUpToDate ? captured : new CaptureLook()
    return look.see(judged, heard.cursors, clock.nowMs())
  }
  const watches = {
    capture: new ServerWatch({
      look: lookAtCapture,
      // What stays behind is looked at more closely, so that it is told in time and its end is too.
      pauseMs: (sight: Sight<CaptureFacts['shards']>) =>
        sight.value?.some(({ behindSeconds }) => behindSeconds > 0)
          ? Math.min(calmMs, alertMs)
          : pauseMs(sight),
      clock,
    }),
    snapshot: new ServerWatch({ look: (signal) => lookAtSnapshot(store, pipeline, signal), pauseMs, clock }),
    model: new ServerWatch({ look: (signal) => lookAtModel(store, signal), pauseMs, clock }),
    redis: new ServerWatch({
      look: async (): Promise<Record<string, never>> => {
        await redis.feel() // ends by itself within 6 s
        return {}
      },
      pauseMs,
      clock,
    }),
  }
  return { watches, [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose]() }
}
