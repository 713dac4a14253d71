import { duration } from '@freshet/watchdog/page/public/words.js'
import type { InstanceState, PageState } from '@freshet/watchdog/page/view/page-state.ts'
import { type Line, type Part, styled } from './line.ts'
import { mark } from './signs.ts'

export function serverLine({ servers }: PageState): Line {
  return servers.flatMap(({ name, level }): Part[] => ['  ', mark(level), ` ${name}`])
}

export function instanceLines(
  { instance, status, level, startedAtMs, silentSeconds, errors }: InstanceState,
  atMs: number,
): Line[] {
  return [
    [
      '  ',
      mark(level),
      ` ${instance.padEnd(26)} ${status.padEnd(9)}`,
      styled('soft', `up ${duration((atMs - startedAtMs) / 1_000)}, heard ${duration(silentSeconds)} ago`),
    ],
    ...errors.map(
      ({ worker, error }): Line => [
        '      ',
        styled(level === 'critical' ? 'critical' : 'soft', worker === null ? error : `${worker}: ${error}`),
      ],
    ),
  ]
}
