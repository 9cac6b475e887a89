-- Counts the messages in each of the four places.
--
-- KEYS 1 queue  2 retry  3 dead  4 consumers  5 dead index
-- ARGV 1 prefix of the processing lists (same cluster slot)  2 bytes up to which the oldest waiting message is returned
-- Returns {waiting, processing, retrying, dead, oldest waiting message or "", of the dead those in the list of earlier versions}

local queue, retry, dead, consumers, dead_index = unpack(KEYS)
local processing = 0
for _, consumer in ipairs(redis.call('ZRANGE', consumers, 0, -1)) do
  processing = processing + redis.call('LLEN', ARGV[1] .. consumer)
end
local oldest = redis.call('LINDEX', queue, -1) or ''
if #oldest > tonumber(ARGV[2]) then oldest = '' end
local inbox = redis.call('LLEN', dead)
local buried = redis.call('ZCARD', dead_index) + inbox
return { redis.call('LLEN', queue), processing, redis.call('ZCARD', retry), buried, oldest, inbox }
