-- Says what a supervisor, or a worker alone, is, and forgets those of whom nothing was heard for a day.
--
-- KEYS 1 fleet
-- ARGV 1 its name  2 another name, for when a second one has taken the first
--      3 writer: one process, a name that is never used again  4 what it says, JSON
--      5 1 = it has spoken under the name before  6 1 = a name that is not there may be written  7 most names
--      8 1 = look for those who are to be forgotten
-- Returns {1, name under which it stands}; {0, names} = there is no room for one more
--
-- Who starts again takes over the name of its former self. Of two that live under one name, which copies of a virtual
-- machine do, the first finds itself displaced, takes the other name and leaves the first to the second.

local fleet = KEYS[1]
local name, other, writer, words = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local has_spoken, may_grow, most, sweeps = ARGV[5] == '1', ARGV[6] == '1', tonumber(ARGV[7]), ARGV[8] == '1'
local forgotten_ms, kept_seconds, silent_ms = 86400000, 172800, 60000

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local known = redis.call('HGET', fleet, name)
if known and has_spoken and string.match(known, '^%d+ (%S+) ') ~= writer then
  name = other
  known = redis.call('HGET', fleet, name)
end

-- in either direction: the clock may have been set back
local function age(text) return math.abs(now - (tonumber(string.match(text, '^%d+')) or 0)) end

local function forget()
  local all, silent, left = redis.call('HGETALL', fleet), {}, 0
  for at = 1, #all, 2 do
    local old = age(all[at + 1])
    if old >= forgotten_ms then
      redis.call('HDEL', fleet, all[at])
    else
      left = left + 1
      if old >= silent_ms then silent[#silent + 1] = { old, all[at] } end
    end
  end
  table.sort(silent, function(one, two) return one[1] > two[1] end)
  for at = 1, math.min(#silent, left - most + 1) do redis.call('HDEL', fleet, silent[at][2]) end
end

if sweeps or (not known and redis.call('HLEN', fleet) >= most) then forget() end
local names = redis.call('HLEN', fleet)
if not known and (not may_grow or names >= most) then return { 0, names } end

redis.call('HSET', fleet, name, string.format('%.0f', now) .. ' ' .. writer .. ' ' .. words)
redis.call('EXPIRE', fleet, kept_seconds)
return { 1, name }
