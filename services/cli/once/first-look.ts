/** What a run finds at its start: what there is to reach, what of it is reached, and what it cannot do anything about. */
import { judgeIndices } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import { readShards, type ShardsView } from '@freshet/adapters/elasticsearch/shards.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { Watermark } from '@freshet/reconcile/watermark.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import {
  type CatchUpWorld,
  changesToRescore,
  goneIndices,
  goneToWaitFor,
  watermarkWorld,
} from './catch-up.ts'
import { type Goal, goalOf, leftOf } from './targets.ts'

type Cursors = ReadonlyMap<string, Cursor>

export interface FirstLook {
  readonly goal: Goal
  readonly isAnythingLeft: boolean
  /** Why an index cannot be captured: somebody has to mend it, which need not hold up the others. */
  readonly refusal: FreshetError | undefined
}

/** @param onNote hears what people should know beside it */
export async function lookFirst(
  world: CatchUpWorld,
  cursors: Cursors,
  onNote: (note: string) => void,
  signal: AbortSignal,
): Promise<FirstLook> {
  const view = await readShards(world.client, world.settings.elasticsearch.index, signal)
  const refused = await refusedIndices(world, view, signal)
  const goal = goalOf(view, world.rules, (index) => !refused.has(index))
  for (const note of notesOn(view, cursors, world.settings)) onNote(note)
  const isAnythingLeft = !(await isReached(world, goal, { view, cursors }, signal))
  const [refusal] = refused.values()
  return { goal, isAnythingLeft, refusal }
}

/** By name: capture leaves them alone. */
async function refusedIndices(
  { client, settings }: CatchUpWorld,
  { indexUuids }: ShardsView,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FreshetError>> {
  const refused = new Map<string, FreshetError>()
  if (indexUuids.size === 0) return refused // the poller's check tells a name that is misspelt
  for (const { name, verdict, reason } of await judgeIndices(client, settings.elasticsearch, signal))
    if (verdict === 'refused' || verdict === 'blocked') {
      const code = verdict === 'refused' ? 'INDEX_NOT_CAPTURABLE' : 'INDEX_BLOCKED'
      refused.set(name, new FreshetError(code, reason ?? name))
    }
  return refused
}

function notesOn(view: ShardsView, cursors: Cursors, settings: CatchUpWorld['settings']): string[] {
  const { goneGraceSeconds } = settings.elasticsearch
  const isWaitedFor = goneToWaitFor(view, cursors, settings).length > 0
  return [
    ...view.closed.map((name) => `${name} is closed: it waits, its scores stay`),
    ...(isWaitedFor ? [] : goneIndices(view, cursors)).map(
      (name) =>
        `${name} is gone: its scores are deleted by a poller that runs for elasticsearch.goneGraceSeconds (${goneGraceSeconds}); at most 60, a run waits for it`,
    ),
  ]
}

async function isReached(
  world: CatchUpWorld,
  goal: Goal,
  { view, cursors }: { readonly view: ShardsView; readonly cursors: Cursors },
  signal: AbortSignal,
): Promise<boolean> {
  const { uncaptured, unswept, unread } = leftOf(goal, cursors, world.rules)
  const gone = goneToWaitFor(view, cursors, world.settings)
  if (view.indexUuids.size === 0 || uncaptured.length + unswept.length + unread.length + gone.length > 0)
    return false
  const mark = await Watermark.now(watermarkWorld(world), signal)
  if ((await mark.look(signal)).kind !== 'reached') return false
  return (await world.isFilled()) && (await changesToRescore(world, signal)) === 0
}
