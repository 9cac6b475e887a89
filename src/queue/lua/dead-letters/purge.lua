-- Deletes dead letters for good.
--
-- KEYS 1 index  2 letters  3 untold
-- ARGV members of the index
-- Returns {letters deleted, ms until the last of those is free that stay since they are being told, or 0, {these}}
--
-- First two removals that do nothing: a user who may not call one of them learns it before anything is gone.

local index, letters, untold = unpack(KEYS)
redis.call('HDEL', letters, '')
redis.call('ZREM', index, '')

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local purged, held_ms, held = 0, 0, {}
for _, member in ipairs(ARGV) do
  local ms = ms_being_told(untold, member, now)
  if ms > 0 then
    held[#held + 1] = member
    held_ms = math.max(held_ms, ms)
  else
    redis.pcall('ZREM', untold, member)
    redis.call('HDEL', letters, string.match(member, '^%S*'))
    purged = purged + redis.call('ZREM', index, member)
  end
end
return { purged, held_ms, held }
