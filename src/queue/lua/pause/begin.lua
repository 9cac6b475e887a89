-- Pauses all deliveries, in place of a pause that is there.
--
-- KEYS 1 paused  2 paused:seen
-- ARGV 1 the pause  2 ms after which Redis ends it, "" = it does not  3 bytes of an earlier one to return at most
-- Returns {now in ms since the epoch, what stood there or "", ms that it would have stood or -1}

local paused, seen = KEYS[1], KEYS[2]
local text, for_ms, most = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- first a removal of nothing, or a full Redis refuses this: see exchange.lua
redis.call('HDEL', seen, '')
-- a key of another type is another program's
local before = redis.call('GET', paused)
local left = redis.call('PTTL', paused)
if for_ms == '' then
  redis.call('SET', paused, text)
else
  redis.call('SET', paused, text, 'PX', for_ms)
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return { string.format('%.0f', now), before and string.sub(before, 1, most) or '', left }
