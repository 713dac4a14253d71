/** What the watchdog hears is also judged, told and shown: whatever passes the decoder must not throw there either. */
import { Buffer } from 'node:buffer'
import { alertStateRecord } from '@freshet/records/alert-state.ts'
import { orderRecord } from '@freshet/records/control.ts'
import { factsRecord } from '@freshet/records/facts.ts'
import { golden } from '@freshet/records/golden/golden.kit.ts'
import { heartbeatRecord } from '@freshet/records/heartbeat.ts'
import { instance, NOW_MS, pageInput, pipelineFacts } from '@freshet/watchdog/page/view/pipeline-facts.kit.ts'
import { toPageState } from '@freshet/watchdog/page/view/to-page-state.ts'
import { alertNotice } from '@freshet/watchdog/routes/alert-to-notice.ts'
import { flockMessage, shortFlockMessage } from '@freshet/watchdog/routes/formats/flock-message.ts'
import { jsonBody } from '@freshet/watchdog/routes/formats/json-body.ts'
import { plainText } from '@freshet/watchdog/routes/formats/plain-text.ts'
import { slackMessage } from '@freshet/watchdog/routes/formats/slack-blocks.ts'
import { shortTeamsMessage, teamsMessage } from '@freshet/watchdog/routes/formats/teams-card.ts'
import { CONTEXT, lagMessage } from '@freshet/watchdog/routes/notice.kit.ts'
import { orderRemarks } from '@freshet/watchdog/routes/order-remarks.ts'
import { BOOK } from '@freshet/watchdog/rules/facts.kit.ts'
import { judge } from '@freshet/watchdog/rules/judge.ts'
import { expect } from 'vitest'
import { fuzz } from './fuzz.kit.ts'

const CODES = ['RECORD_MALFORMED', 'RECORD_VERSION', 'RECORD_OUTDATED'] as const
const FORMATS = [
  jsonBody,
  plainText,
  slackMessage,
  teamsMessage,
  shortTeamsMessage,
  flockMessage,
  shortFlockMessage,
]

const state = {
  ...alertStateRecord.decode(golden('alert-state.v2.txt')),
  untold: [lagMessage(), lagMessage('resolved')],
}

fuzz({
  name: 'alert-state-told',
  format: 'json',
  codes: CODES,
  valid: [Buffer.from(alertStateRecord.encode(state))],
  share: 0.5,
  read(bytes) {
    const { alerts, untold } = alertStateRecord.decode(bytes)
    for (const message of untold)
      for (const format of FORMATS) {
        const told = format(alertNotice(message, CONTEXT, NOW_MS))
        expect(JSON.stringify(told)).not.toContain('Invalid Date')
      }
    JSON.stringify(toPageState(pageInput({ alerts })))
  },
})

fuzz({
  name: 'order-shown',
  format: 'json',
  codes: CODES,
  valid: golden('orders.v1.txt')
    .toString()
    .split('\n')
    .map((line) => Buffer.from(line)),
  share: 0.3,
  read(bytes) {
    const orders = [orderRecord.decode(bytes)]
    for (const remark of orderRemarks(orders)) expect(remark).toBeTypeOf('string')
    JSON.stringify(toPageState(pageInput({ orders })))
  },
})

const facts = pipelineFacts()

fuzz({
  name: 'heartbeat-shown',
  format: 'json',
  codes: CODES,
  valid: facts.instances.map(({ heartbeat }) => Buffer.from(heartbeatRecord.encode(heartbeat))),
  share: 0.3,
  read(bytes) {
    const { service, ...heartbeat } = heartbeatRecord.decode(bytes)
    const heard = instance(heartbeat.instance, { ...heartbeat, service })
    const now = { ...facts, instances: [...facts.instances, heard] }
    judge(now, [facts], BOOK)
    JSON.stringify(toPageState(pageInput({ facts: now })))
  },
})

fuzz({
  name: 'facts',
  format: 'json',
  codes: CODES,
  valid: [Buffer.from(factsRecord.encode(facts))],
  share: 0.5,
  read(bytes) {
    const now = factsRecord.decode(bytes)
    judge(now, [facts], BOOK)
    JSON.stringify(toPageState(pageInput({ facts: now })))
  },
})
