-- Puts claims of one consumer back at the right end of the queue.
--
-- KEYS 1 queue  2 processing list of the consumer  3 consumers  4 paused:seen
-- ARGV 1 consumer  2 claims to move at most  3 bytes after which no further one is moved  4 "1" = even while its lease runs
-- Returns {claims moved, claims left}; moved -1 = the lease runs and nothing was done
--
-- Newest first, so that the oldest ends rightmost: a run that is killed midway and repeated gives the same order. The
-- consumer gets a negative score (as in recover.lua): if it lives after all, it can settle nothing of this any more.
--
-- The errors that this raises come before a claim is copied: see exchange.lua for the order.

local queue, processing, consumers, paused_seen = unpack(KEYS)
local consumer, most, bytes_wanted, force = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local expiry = tonumber(redis.call('ZSCORE', consumers, consumer) or 0)
if not force and expiry > now then return { -1, redis.call('LLEN', processing) } end

redis.call('LREM', processing, 0, consumer .. ' ')
if expiry > 0 then redis.call('ZADD', consumers, string.format('%.0f', -now), consumer) end
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
return { moved, redis.call('LLEN', processing) }
