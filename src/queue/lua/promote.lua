-- Moves due retries to the queue, earliest due first, by LPUSH as the original worker does.
--
-- KEYS 1 retry  2 queue
-- ARGV 1 messages to move at most
-- Returns {{member heads of the messages moved}, ms until the next retry is due or -1}
--
-- A member is `<unique> <encoded message id>:<message>`: two byte-identical messages stay two, and the head names the
-- message for the log without sending it back.

local retry, queue, limit = KEYS[1], KEYS[2], tonumber(ARGV[1])
-- first a write that does nothing: see exchange.lua
redis.pcall('ZREM', retry, '')
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local due = redis.call('ZRANGEBYSCORE', retry, '-inf', string.format('%.0f', now), 'LIMIT', 0, limit)
local heads = {}
for _, member in ipairs(due) do
  local colon = string.find(member, ':', 1, true)
  heads[#heads + 1] = string.sub(member, 1, colon - 1)
  redis.call('LPUSH', queue, string.sub(member, colon + 1))
  redis.call('ZREM', retry, member)
end

local first = redis.call('ZRANGE', retry, 0, 0, 'WITHSCORES')
if #first == 0 then return { heads, -1 } end
return { heads, math.max(0, math.ceil(tonumber(first[2]) - now)) }
