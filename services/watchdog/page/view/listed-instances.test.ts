import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { expect, test } from 'vitest'
import { areWell, listInstances } from './listed-instances.ts'

const NOW_MS = 10_000_000

/** @param heard seconds ago, as `started` */
function beat(
  instance: string,
  {
    started = 3_000,
    heard = 2,
    status = 'running' as Heartbeat['status'],
    replaces = [] as readonly string[],
  } = {},
): Heartbeat {
  return {
    version: 1,
    service: instance.split('-', 1)[0]!,
    instance,
    startedAtMs: NOW_MS - started * 1_000,
    atMs: NOW_MS - heard * 1_000,
    status,
    progress: {},
    metrics: {},
    model: null,
    lastError: null,
    lastErrorAtMs: null,
    ...(replaces.length > 0 && { replaces: { instances: [...replaces], ended: 'SIGKILL' } }),
  }
}

function look(...heartbeats: Heartbeat[]) {
  const all = heartbeats.map((heartbeat) => ({ heartbeat, heardAtMs: heartbeat.atMs }))
  const listed = listInstances(all, { nowMs: NOW_MS, silentSeconds: 30 })
  return { shown: listed.map(({ instance, status }) => `${instance} ${status}`), well: areWell(listed) }
}

test('an instance that died is gone, and all is well, once another one runs in its place', () => {
  expect(look(beat('scorer-1', { heard: 77 }), beat('scorer-2', { started: 70 }))).toEqual({
    shown: ['scorer-1 gone', 'scorer-2 running'],
    well: true,
  })
})

test('an instance that died without a successor is silent, and not well', () => {
  const silent = { shown: ['scorer-1 silent', 'poller-1 running'], well: false }
  expect(look(beat('scorer-1', { heard: 77 }), beat('poller-1', { started: 70 }))).toEqual(silent)
})

test('one that runs since before is no successor, and one successor does not stand for two', () => {
  const dead = beat('scorer-1', { heard: 77 })
  expect(look(dead, beat('scorer-2')).well).toBe(false)
  expect(look(dead, beat('scorer-2', { heard: 76 }), beat('scorer-3', { started: 70 }))).toEqual({
    shown: ['scorer-1 gone', 'scorer-2 silent', 'scorer-3 running'],
    well: false,
  })
})

test('of instances that died one after the other, only the last one can be missed', () => {
  const first = beat('scorer-1', { heard: 900 })
  const second = beat('scorer-2', { started: 890, heard: 77 })
  expect(look(first, second).shown).toEqual(['scorer-1 gone', 'scorer-2 silent'])
  expect(look(first, second, beat('scorer-3', { started: 70 })).well).toBe(true)
})

test('an instance that was stopped in order is left out', () => {
  const stopped = beat('scorer-1', { heard: 77, status: 'stopping' })
  expect(look(stopped, beat('poller-1'))).toEqual({ shown: ['poller-1 running'], well: true })
  expect(look(stopped)).toEqual({ shown: [], well: false })
})

test('who was replaced by a supervisor is left out as soon as the successor speaks, whatever the last word was', () => {
  const first = beat('scorer-1', { heard: 5, status: 'failing' })
  const second = beat('scorer-2', { started: 4, replaces: ['scorer-0', 'scorer-1'] })
  expect(look(first, second)).toEqual({ shown: ['scorer-2 running'], well: true })
  expect(look(first).shown).toEqual(['scorer-1 failing'])
})

test('an instance whose clock is wrong lives as long as it is heard, and no longer', () => {
  const wrong = (heartbeat: Heartbeat, heardAtMs: number) =>
    listInstances([{ heartbeat, heardAtMs }], { nowMs: NOW_MS, silentSeconds: 30 })
  expect(wrong(beat('scorer-1', { heard: 900 }), NOW_MS - 2_000)).toMatchObject([
    { status: 'running', silentSeconds: 2 },
  ])
  expect(wrong(beat('scorer-1', { heard: -900 }), NOW_MS - 77_000)).toMatchObject([
    { status: 'silent', silentSeconds: 77 },
  ])
})

test('an instance that fails or starts is not well', () => {
  expect(look(beat('scorer-1', { status: 'failing' })).well).toBe(false)
  expect(look(beat('scorer-1', { status: 'starting' })).well).toBe(false)
})

test('one that died while it started is not taken for one that starts for as long as others are waited for', () => {
  const dead = beat('poller-1', { heard: 12, status: 'starting' })
  expect(look(dead, beat('poller-2', { started: 8 }))).toEqual({
    shown: ['poller-1 gone', 'poller-2 running'],
    well: true,
  })
  expect(look(dead)).toEqual({ shown: ['poller-1 silent'], well: false })
})
