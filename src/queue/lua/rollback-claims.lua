-- Puts claims of one consumer back at the right end of the queue.
--
-- KEYS 1 queue  2 processing list of the consumer  3 consumers
-- ARGV 1 consumer  2 claims to move at most  3 "1" = even while its lease runs
-- Returns {claims moved, claims left}; moved -1 = the lease runs and nothing was done
--
-- Newest first, so that the oldest ends rightmost: a run that is killed midway and repeated gives the same order. The
-- consumer gets a negative score (as in recover.lua): if it lives after all, it can settle nothing of this any more.

local queue, processing, consumers = KEYS[1], KEYS[2], KEYS[3]
local consumer, most, force = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local expiry = tonumber(redis.call('ZSCORE', consumers, consumer) or 0)
if not force and expiry > now then return { -1, redis.call('LLEN', processing) } end
if expiry > 0 then redis.call('ZADD', consumers, string.format('%.0f', -now), consumer) end

local moved = 0
while moved < most do
  local raw = redis.call('LPOP', processing)
  if not raw then break end
  local done = redis.pcall('RPUSH', queue, raw)
  if type(done) == 'table' and done.err then
    redis.call('LPUSH', processing, raw)
    return redis.error_reply(done.err)
  end
  moved = moved + 1
end
return { moved, redis.call('LLEN', processing) }
