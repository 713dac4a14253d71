import { bytes, count, duration, percent, plural, rate } from '@freshet/watchdog/page/public/words.js'
import type { PageState } from '@freshet/watchdog/page/view/page-state.ts'
import { type Line, styled } from './line.ts'
import { gauge } from './signs.ts'

export function modelLines({ model: { promoted, inUse, rescore }, atMs }: PageState): Line[] {
  const users = inUse.filter(({ model }) => model !== promoted?.model)
  return [
    ...(promoted === null
      ? []
      : [
          [
            `  model    ${promoted.model}`,
            styled(
              'soft',
              `, promotion ${promoted.promotion}, ${duration((atMs - promoted.promotedAtMs) / 1_000)} ago`,
            ),
          ],
        ]),
    ...users.map(({ model, instances }): Line => [`           ${model} in use by ${instances.join(', ')}`]),
    ...(rescore === null
      ? []
      : [
          [
            '           ',
            styled('accent', gauge(rescore.share, 20)),
            ` ${percent(rescore.share)} scored again`,
            styled(
              'soft',
              rescore.leftSeconds === null
                ? ', it does not move'
                : `, ${rate(rescore.perSecond)} rows/s, done in about ${duration(rescore.leftSeconds)}`,
            ),
          ],
        ]),
  ]
}

export function snapshotLines({ snapshot: { manifest, held }, atMs }: PageState): Line[] {
  if (manifest === null) return []
  const late = held.filter(({ behindCommits }) => behindCommits > 0)
  return [
    [
      `  snapshot commit ${count(manifest.commit)}, ${count(manifest.rows)} rows, ${bytes(manifest.bytes)}`,
      styled('soft', `, written ${duration((atMs - manifest.writtenAtMs) / 1_000)} ago`),
      styled('soft', held.length === 0 ? '' : `, held by ${plural(held.length, 'gateway')}`),
      ...late.map(({ instance, behindCommits }) =>
        styled('warning', `, ${instance} ${behindCommits} commits behind`),
      ),
    ],
  ]
}

export function answerLines({ gateway }: PageState): Line[] {
  const told = gateway.sources.filter(({ answers }) => answers > 0)
  if (told.length === 0) return []
  const { degradedAnswers, degradedFor, lateAnswers, refusedRequests } = gateway
  const bad = Object.entries({
    degraded: degradedAnswers,
    late: lateAnswers,
    refused: refusedRequests,
  }).filter(([, amount]) => amount > 0)
  return [
    [
      `  answers  ${told.map(({ source, share }) => `${source} ${percent(share)}`).join('  ')}`,
      ...bad.map(([what, amount]) => styled('warning', `  ${count(amount)} ${what} in 5 min`)),
    ],
    ...(degradedFor.length === 0
      ? []
      : [[styled('soft', `           degraded for ${reasons(degradedFor)}`)]]),
  ]
}

function reasons(degradedFor: PageState['gateway']['degradedFor']): string {
  return degradedFor.map(({ reason, answers }) => `${reason} ${count(answers)}`).join(', ')
}
