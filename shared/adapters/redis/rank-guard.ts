import { createHash } from 'node:crypto'

/** Code of the guard's answer when it meets a value of a version that it does not know: its rank cannot be compared. */
export const NEWER_VERSION = 'FRESHETVERSION'

/**
 * Stores each value whose rank is higher than that of the value there; a tie stores nothing.
 * KEYS: the keys, each once. ARGV: seconds to live (0: for ever), then one value of version 2 a key.
 *
 * No rank is the beginning of another, so it is enough to compare as many characters as the rank that is there has. A
 * value of version 1 has its rank as five numbers of fixed width, which is written anew for the comparison.
 */
const lua = `
local call, find, sub, byte = redis.call, string.find, string.sub, string.byte
local there, ttl = call('MGET', unpack(KEYS)), ARGV[1]
local function asVersion2(value)
  local rank, from = '2', 1
  for _, width in ipairs({14, 12, 8, 14, 8}) do
    local digits = string.gsub(sub(value, from, from + width - 1), '^0+', '')
    rank, from = rank .. string.format('%x', #digits) .. digits, from + width
  end
  return rank .. ' '
end
for i = 1, #KEYS do
  local value, old = ARGV[i + 1], there[i]
  local wins = not old
  if old then
    local version = byte(old)
    if version and version > 50 and version < 58 then return redis.error_reply('${NEWER_VERSION} ' .. KEYS[i]) end
    if version ~= 50 then old = asVersion2(old) end
    local length = (find(old, ' ', 1, true) or #old + 1) - 1
    wins = sub(old, 1, length) < sub(value, 1, length)
  end
  if wins then
    if ttl == '0' then call('SET', KEYS[i], value) else call('SET', KEYS[i], value, 'EX', ttl) end
  end
end`

export const RANK_GUARD = { lua, sha1: createHash('sha1').update(lua).digest('hex') }
