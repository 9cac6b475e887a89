-- Takes a consumer that holds nothing out of the register, at its end: nobody waits for the end of its lease.
--
-- KEYS 1 consumers  2 processing list of the consumer  3 paused:seen
-- ARGV 1 consumer  2 "1" = no claim of it can land any more
-- Returns 1 = it has no lease any more, 0 = it is left as it was, since it holds something, was recovered or is not known
--
-- Where a claim may land later, since the reply to one was lost, it stays known as one that was recovered: late-claims.lua
-- finds what lands, and forgets it.

local consumers, processing, paused_seen = KEYS[1], KEYS[2], KEYS[3]
local consumer, is_certain = ARGV[1], ARGV[2] == '1'

-- first a write that does nothing: see exchange.lua
redis.call('ZREM', consumers, '')
local score = redis.call('ZSCORE', consumers, consumer)
if not score or tonumber(score) < 0 or redis.call('LLEN', processing) > 0 then return 0 end
redis.pcall('HDEL', paused_seen, consumer)
if is_certain then return redis.call('ZREM', consumers, consumer) end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', consumers, string.format('%.0f', -now), consumer)
return 1
