-- Puts claims of one consumer back at the right end of the queue.
--
-- KEYS 1 queue  2 processing list of the consumer  3 consumers  4 paused:seen
-- ARGV 1 consumer  2 claims to move at most  3 bytes after which no further one is moved
--      4 its score as it was seen last, "" = whatever it is
-- Returns {claims moved, claims left, score}; moved -1 = its score is another one, since it lives: nothing was done
--
-- Newest first, so that the oldest ends rightmost: a run that is killed midway and repeated gives the same order. The
-- consumer gets a negative score (as in recover.lua): if it lives after all, it can settle nothing of this any more.
--
-- The errors that this raises come before a claim is copied: see exchange.lua for the order.

local queue, processing, consumers, paused_seen = unpack(KEYS)
local consumer, most, bytes_wanted, seen = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local score = redis.call('ZSCORE', consumers, consumer)
if seen ~= '' and (not score or tonumber(score) ~= tonumber(seen)) then return { -1, redis.call('LLEN', processing), score } end

redis.call('LREM', processing, 0, consumer .. ' ')
if score and tonumber(score) >= 0 then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  redis.call('ZADD', consumers, string.format('%.0f', -now), consumer)
end
redis.pcall('HDEL', paused_seen, consumer)

local moved, bytes = 0, 0
while moved < most and bytes < bytes_wanted do
  local raw = redis.call('LINDEX', processing, 0)
  if not raw then break end
  redis.call('RPUSH', queue, raw)
  local removed = redis.pcall('LREM', processing, 1, raw)
  if removed ~= 1 then
    redis.pcall('RPOP', queue)
    return redis.error_reply(type(removed) == 'table' and removed.err or 'ERR the claim has vanished')
  end
  moved = moved + 1
  bytes = bytes + #raw
end
return { moved, redis.call('LLEN', processing), redis.call('ZSCORE', consumers, consumer) }
