import type { Settings } from '@freshet/config/schema.ts'
import { instanceName } from '@freshet/service/instance-name.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { followPipeline } from '@freshet/watchdog/page/follow-pipeline.ts'
import { quitKeys } from './keys.ts'
import { picture } from './picture.ts'
import { Screen } from './screen.ts'

/**
 * Shows the pipeline until `signal` aborts or somebody presses q.
 * @param options `json`: a line for each look, in place of a picture
 */
export async function watchStatus(
  settings: Settings,
  { everyMs, json }: { everyMs: number; json: boolean },
  signal: AbortSignal,
): Promise<void> {
  const quit = new AbortController()
  using _keys = json ? undefined : quitKeys(process.stdin, () => quit.abort())
  using screen = json ? undefined : new Screen(process.stdout)
  process.stdout.once('error', () => quit.abort()) // whoever read it has enough
  const follow = { settings, instance: instanceName('status'), everyMs, clock: systemClock }
  screen?.show(() => [['looking …']])
  for await (const state of followPipeline(follow, AbortSignal.any([signal, quit.signal])))
    if (screen === undefined) process.stdout.write(`${JSON.stringify(state)}\n`)
    else screen.show((columns) => picture(state, { columns }))
}
