-- Renews the consumer's lease.
--
-- KEYS 1 consumers
-- ARGV 1 consumer  2 lease in ms
-- Returns 1 = kept (or taken), 0 = lost: others have recovered its claims

local consumers, consumer = KEYS[1], ARGV[1]
-- first a write that does nothing: see exchange.lua
redis.pcall('ZREM', consumers, '')
local expiry = redis.call('ZSCORE', consumers, consumer)
if expiry and tonumber(expiry) < 0 then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', consumers, string.format('%.0f', now + tonumber(ARGV[2])), consumer)
return 1
