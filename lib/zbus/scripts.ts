import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'

export interface Script {
  readonly lua: string
  readonly sha: string
}
const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') })

/**
 * Moves what waits in a queue (KEYS[1]) to the list of taken requests (KEYS[2]), oldest first, and returns it: at most ARGV[1] requests
 * and, past the first, ARGV[2] bytes. One longer than ARGV[3] is dropped; `{ size, its first 16 KiB, its last 16 KiB }` stands for it.
 */
export const take = script(`
local taken, bytes = {}, 0
for i = 1, tonumber(ARGV[1]) do
  local request = redis.call('LPOP', KEYS[1])
  if not request then break end
  if #request > tonumber(ARGV[3]) then
    taken[i] = { tostring(#request), string.sub(request, 1, 16384), string.sub(request, -16384) }
  else
    redis.call('RPUSH', KEYS[2], request)
    taken[i] = request
    bytes = bytes + #request
  end
  if bytes >= tonumber(ARGV[2]) then break end
end
return taken`)

/**
 * Takes requests off the list of taken ones (KEYS[1]) and pushes what answers them on KEYS[2..], all or nothing. Three arguments for
 * each: the request, the answer, and how: 'push'; 'once' only where the request was still there; 'again' only where moreover no answer
 * lies there; 'drop' nothing; 'dead' on a list that keeps the newest 1,000. One that Redis refuses (its key is no list) is dropped.
 */
export const answer = script(`
for i = 2, #KEYS do
  local at = (i - 2) * 3
  local there = redis.call('LREM', KEYS[1], 1, ARGV[at + 1]) > 0
  local how = ARGV[at + 3]
  if how == 'push' or how == 'dead' or (there and how == 'once')
    or (there and how == 'again' and redis.call('EXISTS', KEYS[i]) == 0) then
    local said = redis.pcall('RPUSH', KEYS[i], ARGV[at + 2])
    if type(said) == 'number' then
      if how == 'dead' then redis.call('LTRIM', KEYS[i], -1000, -1) else redis.call('EXPIRE', KEYS[i], 300) end
    end
  end
end`)

/**
 * Makes the guard (KEYS[1]) a string again, so that a blocking move onto it fails and moves nothing. What got there while it was away
 * (somebody emptied the database) joins the taken requests (KEYS[2]).
 */
export const guard = script(`
if redis.call('TYPE', KEYS[1]).ok == 'list' then
  while redis.call('EXISTS', KEYS[1]) == 1 do redis.call('RPUSH', KEYS[2], redis.call('RPOP', KEYS[1])) end
end
return redis.call('SET', KEYS[1], 'wait')`)

/** Runs a script, loading it where this Redis does not have it yet. */
export const run = async (redis: Redis, { lua, sha }: Script, keys: readonly string[], args: readonly (string | Buffer)[]) => {
  try {
    return await redis.callBuffer('EVALSHA', sha, keys.length, ...keys, ...args)
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return await redis.callBuffer('EVAL', lua, keys.length, ...keys, ...args)
  }
}
