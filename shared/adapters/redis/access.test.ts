import { ReplyError } from 'ioredis'
import { expect, test } from 'vitest'
import { accessOver } from './access.ts'
import type { RedisClient } from './connect.ts'

/** A server that answers every command but these, with an error of theirs. */
function serverWithout(errors: Readonly<Record<string, string>>): RedisClient {
  const answer = async (command: string) => {
    if (errors[command] !== undefined) throw new ReplyError(errors[command])
    return null
  }
  return new Proxy({} as RedisClient, { get: (_, command) => () => answer(String(command)) })
}

const over = { address: 'redis box:6379', pipeline: 'flights', isCluster: false }

test('what the server does not have, this user may not', async () => {
  const hosted = serverWithout({
    config: "ERR unknown command 'CONFIG', with args beginning with: 'GET' 'maxmemory' ",
    acl: "ERR unknown command 'ACL', with args beginning with: 'LIST' ",
    evalsha: 'NOSCRIPT No matching script. Please use EVAL.',
  })
  expect(await accessOver(hosted, over)).toEqual({
    missingToRead: [],
    missingToWrite: [],
    beyond: ['read keys of others', 'write keys of others'],
  })
})

test('what a user is refused is told by name', async () => {
  const reader = serverWithout({
    config: 'NOPERM this user has no permissions to run the config command',
    acl: 'NOPERM this user has no permissions to run the acl command',
    set: 'NOPERM this user has no permissions to run the set command',
    eval: "ERR The user executing the script can't run this command or subcommand",
  })
  expect(await accessOver(reader, over)).toEqual({
    missingToRead: [],
    missingToWrite: ['SET', 'EVAL'],
    beyond: ['read keys of others'],
  })
})
