import { isFreshetError } from '@freshet/errors/errors.ts'
import type { Alert, AlertState } from '@freshet/records/alert-state.ts'
import { controlKey } from '@freshet/records/control.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { errorAttributes } from '@freshet/stage/error-attributes.ts'
import { inSpan } from '@freshet/telemetry/spans.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { Judgement } from '../rules/judge.ts'
import type { AlertKeeper } from './alert-keeper.ts'
import type { AlertStore } from './alert-store.ts'
import type { ControlView } from './control-view.ts'
import { silencedBy } from './silences.ts'

/** Orders that are over stay so long, for whoever asks what was silenced. */
const KEEP_ENDED_MS = 86_400_000
const REMOVE_EVERY_MS = 3_600_000

export interface WatchOptions {
  readonly intervalMs: number
  readonly repeatMs: number
  readonly look: (signal: AbortSignal) => Promise<Facts>
  readonly judge: (facts: Facts) => Judgement
  readonly keeper: AlertKeeper
  readonly view: ControlView
  readonly store: Pick<AlertStore, 'save' | 'loadOlder' | 'remove' | 'forgetSaved'>
  /** What was seen, and what alerts there are now. */
  readonly onLook: (facts: Facts, alerts: readonly Alert[]) => void
  readonly clock: Clock
  readonly telemetry: Pick<Telemetry, 'log' | 'tracer' | 'metrics'>
}

/** Looks, judges, remembers; until `signal` aborts. */
export async function watch(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { intervalMs, clock, telemetry } = options
  let removedAtMs = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    const shape = { name: 'look at the pipeline', attributes: { [ATTRIBUTES.stage]: 'watch' } }
    const facts = await inSpan(telemetry.tracer, shape, () => options.look(signal))
    if (signal.aborted) return
    await takeOver(options, signal)
    judge(options, facts)
    await remember(options, signal)
    if (clock.nowMs() - removedAtMs >= REMOVE_EVERY_MS && options.keeper.state() !== null) {
      removedAtMs = clock.nowMs()
      await removeEnded(options, signal)
    }
    await clock.sleep(intervalMs, signal)
  }
}

function judge({ judge, keeper, view, repeatMs, onLook, telemetry }: WatchOptions, facts: Facts): void {
  const nowMs = facts.atMs
  const orders = view.orders.inForce(nowMs)
  const heldBack = keeper.judge(judge(facts), {
    nowMs,
    repeatMs,
    silencedBy: (finding) => silencedBy(orders, finding),
  })
  const alerts = keeper.alerts()
  telemetry.metrics.add('freshet.alerts.held_back', heldBack)
  telemetry.metrics.set('freshet.alerts.firing', alerts.filter(({ phase }) => phase === 'firing').length)
  onLook(facts, alerts)
}

/** Whoever begins to speak goes on where its predecessor was. */
async function takeOver(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { keeper, view } = options
  const older =
    view.state() === undefined && keeper.isElected() ? await loadOlder(options, signal) : undefined
  keeper.takeOver(older)
}

/** Nobody else takes old orders out of the topic, and whoever reads it would read all that there ever were. */
async function removeEnded(
  { view, store, clock, telemetry }: WatchOptions,
  signal: AbortSignal,
): Promise<void> {
  const ended = view.orders.endedBefore(clock.nowMs() - KEEP_ENDED_MS).map(controlKey)
  if (ended.length === 0) return
  await store.remove(ended, signal).catch((error: unknown) => {
    if (!signal.aborted)
      telemetry.log.warn('orders that have ended cannot be removed', errorAttributes(error))
  })
}

async function loadOlder(
  { store, telemetry }: WatchOptions,
  signal: AbortSignal,
): Promise<AlertState | undefined> {
  try {
    return await store.loadOlder(signal)
  } catch (error) {
    if (!isFreshetError(error)) throw error
    if (!signal.aborted)
      telemetry.log.warn(
        'alerts of an older watchdog cannot be read; they may be told again',
        errorAttributes(error),
      )
    return undefined
  }
}

/** Without it a restart would tell again what people know; so a failure is said, and the watch goes on. */
export async function remember(
  { keeper, view, store, telemetry }: Pick<WatchOptions, 'keeper' | 'view' | 'store' | 'telemetry'>,
  signal: AbortSignal,
): Promise<void> {
  const state = keeper.state()
  if (state === null) return
  if (view.takeOverwritten()) store.forgetSaved()
  try {
    await store.save(state, signal)
  } catch (error) {
    if (!signal.aborted) telemetry.log.warn('open alerts cannot be saved', errorAttributes(error))
  }
}
