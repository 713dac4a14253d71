import { expect, test } from 'vitest'
import { mayPass } from './unprivileged-user.ts'

const nobody = { uid: 65534, gid: 65534 }

test.each([
  ['root’s own folder', { mode: 0o40700, uid: 0, gid: 0 }, false],
  ['a folder that all may read but not enter', { mode: 0o40744, uid: 0, gid: 0 }, false],
  ['a folder that all may enter', { mode: 0o40711, uid: 0, gid: 0 }, true],
  ['a folder of the group', { mode: 0o40710, uid: 0, gid: 65534 }, true],
  ['the user’s own folder', { mode: 0o40700, uid: 65534, gid: 0 }, true],
  ['the user’s own folder, closed to the user alone', { mode: 0o40077, uid: 65534, gid: 0 }, false],
])('a server is only put where its user can get to: %s', (_case, stats, passes) => {
  expect(mayPass(stats, nobody)).toBe(passes)
})
