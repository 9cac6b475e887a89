-- Allots a worker its part of what the fleet may have in flight, and notes how many slots it may be using from now on.
--
-- KEYS 1 shares  2 consumers
-- ARGV 1 consumer  2 number of this report, which grows  3 cap of the fleet  4 slots that it may still be using
--      5 "1" = it takes part, "0" = it claims nothing more  6 "1" = it was noted before
--      7 ms for which nobody takes more once notes are missing
-- Returns {limit, share, members}
--      limit    what it may use now; -1 = nothing was done: its lease is not there, or a later report was here before
--      share    what it may use once the others have given up theirs
--      members  workers that take part
--
-- shares is a hash: consumer → `<slots> <takes part> <number of the report>`. Their sum never exceeds the cap: nobody is
-- given more than the notes of the others leave, and a note falls only to what its owner has promised. Where a note is
-- missing that was there, Redis was emptied or lost its last second: others may use slots of which nothing is written, and
-- nobody takes more until all have had the time to say so.

local shares, consumers = KEYS[1], KEYS[2]
local consumer, number, cap, held = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local takes_part, was_noted, settling = ARGV[5] == '1', ARGV[6] == '1', tonumber(ARGV[7])
local nothing, lost_till = { -1, 0, 0 }, 'nobody takes more until'

-- first a write that does nothing: see exchange.lua
redis.pcall('ZREM', consumers, '')
local lease = redis.call('ZSCORE', consumers, consumer)
if not lease or tonumber(lease) < 0 then return nothing end

local members, rank, others, is_missing = takes_part and 1 or 0, 0, 0, was_noted
for _, each in ipairs(redis.call('ZRANGEBYSCORE', consumers, 0, '+inf')) do
  local slots, part, before = string.match(redis.call('HGET', shares, each) or '', '^(%d+) (%d) (%d+)$')
  if each == consumer then
    if tonumber(before or 0) >= number then return nothing end
    is_missing = is_missing and not slots
  elseif slots then
    others = others + tonumber(slots)
    if part == '1' then
      members = members + 1
      if each < consumer then rank = rank + 1 end
    end
  end
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if is_missing then redis.call('HSET', shares, lost_till, string.format('%.0f', now + settling)) end
local left = tonumber(redis.call('HGET', shares, lost_till) or 0) - now
local is_settling = left > 0 and left <= settling
if not is_settling then redis.call('HDEL', shares, lost_till) end

local share = takes_part and math.floor(cap * (rank + 1) / members) - math.floor(cap * rank / members) or 0
local limit = math.min(share, math.max(0, cap - others))
if is_settling then limit = math.min(limit, held) end
local noted = math.max(limit, held)
if noted == 0 and not takes_part then redis.call('HDEL', shares, consumer)
else redis.call('HSET', shares, consumer, string.format('%.0f %d %.0f', noted, takes_part and 1 or 0, number)) end

-- what the dead left; a day without any worker leaves nothing
local gone = redis.call('ZRANGEBYSCORE', consumers, '-inf', '(0', 'LIMIT', 0, 100)
if #gone > 0 then redis.call('HDEL', shares, unpack(gone)) end
redis.call('EXPIRE', shares, 86400)
return { limit, share, members }
