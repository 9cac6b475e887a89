-- Renews the consumer's lease. The score always changes and never falls, whatever the clock does: observers go by the
-- change, those of earlier builds by the time.
--
-- KEYS 1 consumers
-- ARGV 1 consumer  2 lease in ms
-- Returns how many consumers there are whose claims nobody has recovered, this one among them; 0 = its lease is lost:
-- others have recovered its claims

local consumers, consumer = KEYS[1], ARGV[1]
-- first a write that does nothing: see exchange.lua
redis.pcall('ZREM', consumers, '')
local score = tonumber(redis.call('ZSCORE', consumers, consumer) or 0)
if score < 0 then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', consumers, string.format('%.0f', math.max(now + tonumber(ARGV[2]), score + 1)), consumer)
local living = redis.pcall('ZCOUNT', consumers, 0, '+inf')
-- the renewal holds, whether or not this user may count
return type(living) == 'number' and living or 1
