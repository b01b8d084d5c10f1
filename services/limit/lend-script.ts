import { script } from '../redis/command.ts'
import { CORRECTION_MS, PERIOD_UNITS } from './clock.ts'

/**
 * `period(kind, ms)`: as CalendarClock has them, a day or month by its number and by when it ends, in milliseconds. The
 * calendar is that of Hinnant, civil_from_days (https://howardhinnant.github.io/date_algorithms.html).
 */
export const PERIOD = `
local function period(kind, ms)
  local days = math.floor(ms / 86400000)
  if kind == 'day' then return days, (days + 1) * 86400000 end
  local era = math.floor((days + 719468) / 146097)
  local doe = days + 719468 - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  -- Months since March, when its years begin: a leap day is the last of one.
  local march = math.floor((5 * doy + 2) / 153)
  local first = days - (doy - math.floor((153 * march + 2) / 5))
  local index = (era * 400 + yoe) * 12 + march + 2
  local year, month = math.floor(index / 12), index % 12 + 1
  local long = 31
  if month == 4 or month == 6 or month == 9 or month == 11 then long = 30 end
  if month == 2 then long = (year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)) and 29 or 28 end
  return index, (first + long) * 86400000
end
`

/**
 * `lend` of lending.ts, atomically. One key a call, so that a cluster finds its node, and each key ends by itself once its
 * bucket is full, or its period over. The clock is Redis' own, the same for all. It may be set back, and a replica's may be
 * another: what is kept of a clock that was ahead is believed only as far as it can be true. Of quotas: an earlier period
 * than it has reached goes on in that where a correction explains it; else what was used counts for the period that it is.
 *
 * KEYS[1] the theoretical arrival time. ARGV: interval, burst, debt, used, need, want, members, and of a quota its period.
 * Numbers are written out whole: Redis would cut them to integers.
 */
export const LEND = script(`${PERIOD}
local interval, burst, debt = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local used, need, want, members = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local kind = ARGV[8]
local tat = tonumber(redis.call('GET', KEYS[1]) or '0')
local most = (burst + debt) * interval
local time = redis.call('TIME')
local ms = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local now, ends = ms, 0
if kind == '' then
  tat = math.min(tat, now + most)
else
  local index
  index, ends = period(kind, ms)
  local kept = math.floor(tat / ${PERIOD_UNITS})
  if kept > index then
    local soon, after = period(kind, ms + ${CORRECTION_MS})
    if kept == soon then index, ends = soon, after else tat = tat + (index - kept) * ${PERIOD_UNITS} end
  end
  now = index * ${PERIOD_UNITS}
end
local start = math.max(now, math.min(math.max(tat, now) + used * interval, now + most))
local left = math.max(0, math.floor(burst - (start - now) / interval + 0.001))
local share = left
if members > 1 then share = math.floor(left / (2 * members)) end
local granted = 0
if need > 0 and left >= need then granted = math.max(need, math.min(want, share)) end
local after = start + granted * interval
local wait = 0
if granted == 0 then
  wait = after - now - (burst - math.max(need, 1)) * interval
  if wait <= 0.001 * interval then wait = 0 elseif kind ~= '' then wait = ends - ms end
end
if after > now then
  local ttl = kind == '' and after - now + 1000 or ends - ms + ${CORRECTION_MS}
  redis.call('SET', KEYS[1], string.format('%.17g', after), 'PX', string.format('%d', math.ceil(ttl)))
elseif tat > 0 then
  redis.call('DEL', KEYS[1])
end
return { string.format('%d', granted), string.format('%.17g', start), string.format('%.17g', now), string.format('%d', left - granted), string.format('%.17g', wait) }
`)
