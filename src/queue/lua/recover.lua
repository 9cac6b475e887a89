-- Puts the claims of a dead consumer back at the right end of the queue, oldest first, attempt_count unchanged.
--
-- KEYS 1 queue  2 processing list of the consumer  3 consumers  4 crashes
-- ARGV 1 consumer  2 "1" = its process is known to be dead, whatever its lease says
--      3 crashes at which a message is poison  4 seconds to remember crashes
-- Returns {recovered, {poisoned messages, left in the list for the caller to bury}}; recovered -1 = the lease still runs
--
-- The consumer stays known with a negative score (minus the time of recovery): a claim that lands later is found by
-- expired.lua, and the consumer itself, should it wake up, learns that its lease was lost.

local queue, processing, consumers, crashes = unpack(KEYS)
local consumer, known_dead, poison_at, remember = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])

-- first a write that does nothing: see exchange.lua
redis.pcall('ZREM', consumers, '')
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local expiry = tonumber(redis.call('ZSCORE', consumers, consumer) or 0)
if not known_dead and expiry > now then return { -1, {} } end

local recovered, poisoned = 0, {}
-- newest first, so that the oldest ends rightmost and is claimed first
for _, raw in ipairs(redis.call('LRANGE', processing, 0, -1)) do
  local count = redis.pcall('HINCRBY', crashes, redis.sha1hex(raw), 1)
  if type(count) == 'number' and count >= poison_at then
    poisoned[#poisoned + 1] = raw
  else
    redis.call('RPUSH', queue, raw)
    redis.call('LREM', processing, 1, raw)
    recovered = recovered + 1
  end
end
if recovered + #poisoned > 0 then redis.call('EXPIRE', crashes, remember) end
if expiry >= 0 then redis.call('ZADD', consumers, string.format('%.0f', -now), consumer) end
return { recovered, poisoned }
