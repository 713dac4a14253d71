import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { groupMembers, identify, isRunning, parseStat } from './process-identity.ts'
import { stopProcess } from './stop-process.ts'

test('a process is known by its start, whatever its program is called', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.nat(), (program, pid, ticks) => {
      const text = `${pid} (${program}) S 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 ${ticks} 999 9`
      expect(parseStat(text, 'boot')).toEqual({
        pid,
        groupId: 77,
        startedAt: `boot ${ticks}`,
        isEnding: false,
      })
    }),
  )
})

test('a zombie does not run', () => {
  expect(parseStat('5 (java) Z 1 5 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0', 'boot')).toBeUndefined()
})

test('a zombie whose other threads have not ended yet is still ending: it has its ports', () => {
  const text = '5 (node) Z 1 5 5 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 100 0 0'
  expect(parseStat(text, 'boot')).toEqual({ pid: 5, groupId: 5, startedAt: 'boot 100', isEnding: true })
})

test('a process that got the pid of an ended one is not taken for it', () => {
  const me = identify(process.pid)!
  expect(isRunning(me)).toBe(true)
  expect(isRunning({ ...me, startedAt: `${me.startedAt}0` })).toBe(false)
  expect(groupMembers({ ...me, startedAt: `${me.startedAt}0` })).toEqual([])
})

test('stopping ends what a server has started, also when the server itself is dead already', async () => {
  await using group = await startGroup()
  process.kill(group.leader.pid, 'SIGKILL')
  await once(group.child, 'exit')
  expect(isRunning(group.leader)).toBe(false)
  expect(groupMembers(group.leader)).toContain(group.memberPid)

  await stopProcess('test', group.leader)
  expect(groupMembers(group.leader)).toEqual([])
  expect(identify(group.memberPid)).toBeUndefined()
})

test('stopping leaves a stranger with the same pid alone', async () => {
  await using group = await startGroup()
  await stopProcess('test', { ...group.leader, startedAt: `${group.leader.startedAt}0` })
  expect(isRunning(group.leader)).toBe(true)
})

/** A shell that leads a group and has one child, whose pid it says. */
async function startGroup() {
  const child = spawn('sh', ['-c', 'sleep 60 & echo $!; wait'], { detached: true })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const leader = identify(child.pid!)!
  return {
    child,
    leader,
    memberPid: Number(line.toString()),
    [Symbol.asyncDispose]: () => stopProcess('test', leader),
  }
}
