-- Deletes dead letters for good.
--
-- KEYS 1 index  2 letters  3 untold
-- ARGV 1 what is scored up to this in `untold` is over: see parts/being-told.lua  2... members of the index
-- Returns {letters deleted, ms until the last of those is free that stay since they are being told, or 0, {these}, how many
--          of them are free already if Redis's clock was not set ahead}
--
-- First two removals that do nothing: a user who may not call one of them learns it before anything is gone.

local index, letters, untold = unpack(KEYS)
redis.call('HDEL', letters, '')
redis.call('ZREM', index, '')

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local over, purged, held_ms, held, standing = tonumber(ARGV[1]), 0, 0, {}, 0
for at = 2, #ARGV do
  local member = ARGV[at]
  local ms = ms_being_told(untold, member, now, over)
  if ms ~= 0 then
    held[#held + 1] = member
    held_ms = math.max(held_ms, ms)
    if ms < 0 then standing = standing + 1 end
  else
    redis.pcall('ZREM', untold, member)
    redis.call('HDEL', letters, string.match(member, '^%S*'))
    purged = purged + redis.call('ZREM', index, member)
  end
end
return { purged, held_ms, held, standing }
