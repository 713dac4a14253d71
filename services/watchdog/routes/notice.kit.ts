/** Notices for tests. */
import {
  type AlertMessage,
  FINDING_KINDS,
  type Finding,
  type ToldAlert,
} from '@freshet/records/alert-state.ts'
import * as fc from 'fast-check'
import { alertNotice, type NoticeContext } from './alert-to-notice.ts'
import type { Notice } from './notice.ts'

export const SINCE_MS = Date.UTC(2025, 10, 25, 19, 46, 40)

export const CONTEXT: NoticeContext = {
  pipeline: 'air',
  kibana: 'https://kibana.example/s/air',
  runbookUrl: 'https://git.example/freshet/docs/runbooks/',
}

export const lagFinding: Finding = {
  id: 'lag/air-infer',
  kind: 'lag',
  severity: 'critical',
  forSeconds: 10,
  title: 'air-infer is 5 min behind',
  details: { Topic: 'air.changes', Behind: '5 min, 5,210 records' },
  measure: { value: 300, unit: 's', threshold: 60 },
  advice: {
    effect: 'scores are stale; the gateway still answers with what it has',
    firstLook: '`freshet status`, then the last error of the scorer',
  },
}

export function lagMessage(change: AlertMessage['change'] = 'firing', id = '1-0'): AlertMessage {
  return {
    id,
    change,
    atMs: SINCE_MS + 10_000,
    alerts: [told(lagFinding, [12, 40, 75, 130, 210, 300])],
    more: 0,
    begunAtMs: null,
  }
}

export function told(finding: Finding, measures: readonly number[] = []): ToldAlert {
  return { finding, sinceMs: SINCE_MS, measures: [...measures] }
}

export function lagNotice(change: AlertMessage['change'] = 'firing'): Notice {
  return alertNotice(lagMessage(change), CONTEXT, SINCE_MS + 10_000)
}

const sign = fc.constantFrom(...'a<>&"\'|`*_é🌊', '\n', '\u0000', '\u2028', '\ufffe', '\ud83d', '\ude00')

const text = fc.oneof(
  fc.string({ unit: sign, maxLength: 60 }),
  fc.constantFrom(
    '<&>"\''.repeat(700),
    '🌊'.repeat(1_600),
    '',
    '\u0000\n\r\u2028]]>',
    '*_[x](https://y)'.repeat(300),
  ),
)

const finding = fc.record({
  id: text,
  kind: fc.constantFrom(...FINDING_KINDS),
  severity: fc.constantFrom('critical' as const, 'warning' as const),
  forSeconds: fc.constant(10),
  title: text,
  details: fc.dictionary(text, text, { maxKeys: 15 }),
  measure: fc.option(
    fc.record({
      value: fc.double(),
      unit: fc.constantFrom('s', 'share', '', 'records'),
      threshold: fc.double(),
    }),
    { nil: undefined },
  ),
  advice: fc.option(fc.record({ effect: text, firstLook: text }), { nil: undefined }),
})

const message = fc.record({
  id: fc.constant('1-0'),
  change: fc.constantFrom('firing' as const, 'reminder' as const, 'flapping' as const, 'resolved' as const),
  atMs: fc.constant(SINCE_MS + 1),
  alerts: fc.array(
    fc.record({
      finding,
      sinceMs: fc.constant(SINCE_MS),
      measures: fc.array(fc.double(), { maxLength: 24 }),
    }),
    { minLength: 1, maxLength: 30 },
  ),
  more: fc.nat(),
  begunAtMs: fc.constant(null),
})

/** Whatever may stand in an alert: far too long, unprintable, half a sign, other people's markup. */
export const anyNotice: fc.Arbitrary<Notice> = fc
  .tuple(message, text, fc.boolean())
  .map(([each, remark, isLate]) => {
    const notice = alertNotice(each as AlertMessage, CONTEXT, SINCE_MS + (isLate ? 600_000 : 1))
    return { ...notice, remarks: [...notice.remarks, remark], figures: { [remark]: remark } }
  })
