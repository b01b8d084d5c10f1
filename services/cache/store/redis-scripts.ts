import { script } from '../../redis/command.ts'

/*
 * What has to happen at once, as Lua (https://redis.io/docs/latest/develop/programmability/eval-intro/). Every key is
 * named, all keys of a call lie in one slot, nothing is written without an expiry, and no loop is longer than a bound that
 * is passed in.
 */

/** The server's clock: seconds and microseconds. The key only chooses the node. */
export const CLOCK = script(`return redis.call('TIME')`)

/**
 * Records a purge and tells everybody. Its position is the server's clock in microseconds, and more than every position
 * before: also than those that only the caller knows, for a replica that takes over may have missed the last ones.
 *
 * KEYS position, stream, wide-at, wide, floor, generation
 * ARGV known position, keep (ms), kind, text, mode, origin, channel, stream length, wide purges,
 *      'name' (a key, URL or tag) | 'wide' | 'all' | 'repair'
 * Returns the position as text; nil for a repair that is not needed any more.
 */
export const PURGE = script(`
local known, keep, mode, scope = tonumber(ARGV[1]), ARGV[2], ARGV[5], ARGV[10]
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if scope == 'repair' and last >= known then return nil end
local time = redis.call('TIME')
local at = string.format('%.0f', math.max(time[1] * 1000000 + time[2], last + 1, known + 1))
local function raise(key, to, how)
  local hard, soft = string.match(redis.call('GET', key) or '0 0', '(%d+) (%d+)')
  if how == 'hard' and tonumber(hard) < tonumber(to) then hard = to end
  if how == 'soft' and tonumber(soft) < tonumber(to) then soft = to end
  redis.call('SET', key, hard .. ' ' .. soft, 'PX', keep)
end
redis.call('SET', KEYS[1], at, 'PX', keep)
if scope == 'name' then
  raise(KEYS[6], at, mode)
else
  redis.call('SET', KEYS[3], at, 'PX', keep)
  if scope == 'wide' then
    redis.call('RPUSH', KEYS[4], at .. ' ' .. mode .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
    while redis.call('LLEN', KEYS[4]) > tonumber(ARGV[9]) do
      local oldest, how = string.match(redis.call('LPOP', KEYS[4]), '^(%d+) (%a+)')
      raise(KEYS[5], oldest, how)
    end
    redis.call('PEXPIRE', KEYS[4], keep)
  else
    if mode == 'hard' then redis.call('DEL', KEYS[4]) end
    raise(KEYS[5], at, mode)
  end
end
local before = scope == 'repair' and '-' or string.format('%.0f', last)
local message = at .. ' ' .. before .. ' ' .. ARGV[6] .. ' ' .. mode .. ' ' .. ARGV[3] .. ' ' .. ARGV[4]
local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[8], at .. '-0', 'm', message)
if type(added) == 'table' and added.err then
  redis.call('DEL', KEYS[2])
  redis.call('XADD', KEYS[2], at .. '-0', 'm', message)
end
redis.call('PEXPIRE', KEYS[2], keep)
redis.call('PUBLISH', ARGV[7], message)
return at
`)

/**
 * Stores a variant of an entry, and drops others where there are too many, too large, or out of date ones. The field m
 * lists the variants, oldest first, a line each: name, position, expiry, offset of the writer's clock, bytes.
 *
 * KEYS entry, index of its URL
 * ARGV name, payload, position, now, expiry, offset, most variants, most bytes, member, most members
 * Returns 1, or 0 where a later fill is there.
 */
export const STORE = script(`
local name, now, expires, bytes = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5]), #ARGV[2]
local kept, latest = {}, expires
for line, other, at, till, _, size in string.gmatch(redis.call('HGET', KEYS[1], 'm') or '', '((%S+) (%S+) (%S+) (%S+) (%S+)\\n)') do
  if other == name then
    if tonumber(at) > tonumber(ARGV[3]) and tonumber(till) > now then return 0 end
  elseif tonumber(till) <= now then
    redis.call('HDEL', KEYS[1], other)
  else
    kept[#kept + 1] = { line, other, tonumber(size), tonumber(till) }
    bytes = bytes + tonumber(size)
  end
end
local first = 1
while first <= #kept and (#kept - first + 2 > tonumber(ARGV[7]) or bytes > tonumber(ARGV[8])) do
  redis.call('HDEL', KEYS[1], kept[first][2])
  bytes = bytes - kept[first][3]
  first = first + 1
end
local lines = {}
for i = first, #kept do
  lines[#lines + 1] = kept[i][1]
  latest = math.max(latest, kept[i][4])
end
lines[#lines + 1] = name .. ' ' .. ARGV[3] .. ' ' .. ARGV[5] .. ' ' .. ARGV[6] .. ' ' .. #ARGV[2] .. '\\n'
redis.call('HSET', KEYS[1], 'm', table.concat(lines), name, ARGV[2])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', latest - now))
redis.call('ZADD', KEYS[2], latest, ARGV[9])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local excess = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[10])
if excess > 0 then redis.call('ZPOPMIN', KEYS[2], excess) end
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', math.max(latest - now, redis.call('PTTL', KEYS[2]))))
return 1
`)

/**
 * Notes in the index of a tag where an entry is. KEYS index. ARGV now, expiry, member, most members. Of too many those go
 * whose entries go first.
 */
export const INDEX = script(`
local now, expires = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], math.max(expires, tonumber(redis.call('ZSCORE', KEYS[1], ARGV[3]) or '0')), ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local excess = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
if excess > 0 then redis.call('ZPOPMIN', KEYS[1], excess) end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(expires - now, redis.call('PTTL', KEYS[1]))))
return 1
`)

/**
 * Drops the variants of an entry that were fetched before a position, or (soft) only counts them. KEYS entry. ARGV
 * position, mode. Returns how many.
 */
export const DROP = script(`
local lines, covered = {}, 0
for line, name, at in string.gmatch(redis.call('HGET', KEYS[1], 'm') or '', '((%S+) (%S+) %S+ %S+ %S+\\n)') do
  if tonumber(at) < tonumber(ARGV[1]) then
    covered = covered + 1
    if ARGV[2] == 'hard' then redis.call('HDEL', KEYS[1], name) end
  else
    lines[#lines + 1] = line
  end
end
if covered > 0 and ARGV[2] == 'hard' then
  if #lines == 0 then redis.call('UNLINK', KEYS[1]) else redis.call('HSET', KEYS[1], 'm', table.concat(lines)) end
end
return covered
`)
