-- Ends the telling of one burial.
--
-- KEYS 1 untold  2 dead index
-- ARGV 1 its line of the index  2 the score that it got when it was taken
--      3 "told" = forget it  "again" = later  "open" = later, and nobody may touch the letter before
--      4 shortest wait in ms  5 longest wait in ms
-- Returns 1, or 0 = it has another score: its time was over, and others do with it what they like
--
-- The next wait is as long as the letter has been dead, within the bounds: so each is twice the one before it.

local untold, index = unpack(KEYS)
local line, ending, shortest, longest = ARGV[1], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
-- first a removal of nothing, or a full Redis refuses this: see exchange.lua
redis.call('ZREM', untold, '')
local score = redis.call('ZSCORE', untold, line)
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
if ending == 'told' then return redis.call('ZREM', untold, line) end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local age = now - tonumber(redis.call('ZSCORE', index, line) or now)
local next_try = now + math.floor(math.min(longest, math.max(shortest, age)))
if ending == 'open' then next_try = next_try + 0.5 end
redis.call('ZADD', untold, string.format('%.1f', next_try), line)
return 1
