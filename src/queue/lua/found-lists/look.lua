-- Looks through some of Redis's keys for processing lists whose consumer nobody knows, and makes those consumers known:
-- what they hold is then recovered as that of all others, unless they live and renew their lease.
--
-- KEYS 1 consumers
-- ARGV 1 cursor of SCAN  2 pattern of the lists  3 length of their prefix  4 keys to look at  5 lease in ms
-- Returns {next cursor, {consumers made known}}

local consumers = KEYS[1]
local lease = tonumber(ARGV[5])
local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local found = {}
for _, key in ipairs(page[2]) do
  local consumer = string.sub(key, tonumber(ARGV[3]) + 1)
  if not redis.call('ZSCORE', consumers, consumer) then
    -- first a removal of nothing: see exchange.lua
    redis.pcall('ZREM', consumers, consumer .. ' ')
    redis.call('ZADD', consumers, string.format('%.0f', now + lease), consumer)
    found[#found + 1] = consumer
  end
end
return { page[1], found }
