-- Puts claims of a dead consumer back at the right end of the queue, oldest first, attempt_count unchanged: as many as
-- Redis does in a moment.
--
-- KEYS 1 queue  2 processing list of the consumer  3 consumers  4 crashes  5 paused:seen
-- ARGV 1 consumer  2 its score as it was seen, "" = its process is known to be dead, whatever its lease says
--      3 crashes at which a message is poison  4 seconds to remember crashes
--      5 messages and  6 bytes after which no further one is moved: larger ones travel alone
-- Returns {recovered, {poisoned messages, left in the list for the caller to bury}, others left, score}
--      recovered  -1 = its score is another one, since it lives or others have recovered it: nothing was done
--      score      what it has now, for the next step
--
-- The consumer stays known with a negative score (minus the time of recovery): a claim that lands later is found by
-- late-claims.lua, and the consumer itself, should it wake up, learns that its lease was lost.
--
-- Redis does not roll scripts back. So whatever it may refuse is tried first with a removal of nothing, the consumer loses
-- its lease before its claims move, and each message is in its new place before it leaves the old one.

local queue, processing, consumers, crashes, paused_seen = unpack(KEYS)
local consumer, seen, poison_at, remember = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local most, bytes_wanted = tonumber(ARGV[5]), tonumber(ARGV[6])

redis.call('ZREM', consumers, '')
local score = redis.call('ZSCORE', consumers, consumer)
if seen ~= '' and (not score or tonumber(score) ~= tonumber(seen)) then return { -1, {}, 0, score or '' } end
-- no message is the name of its consumer, which holds a number that nobody knew before
redis.call('LREM', processing, 0, consumer)
if not score or tonumber(score) >= 0 then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  redis.call('ZADD', consumers, string.format('%.0f', -now), consumer)
end
-- who is gone keeps no pause
redis.pcall('HDEL', paused_seen, consumer)

local function died_with(raw)
  local count = redis.pcall('HGET', crashes, redis.sha1hex(raw))
  return (type(count) == 'string' and tonumber(count) or 0) + 1
end

local recovered, poisoned, bytes = 0, {}, 0
-- newest first, so that the oldest ends rightmost and is claimed first
while recovered + #poisoned < most and bytes < bytes_wanted do
  local raw = redis.call('LINDEX', processing, #poisoned)
  if not raw or (bytes > 0 and bytes + #raw > bytes_wanted) then break end
  bytes = bytes + #raw
  if died_with(raw) >= poison_at then
    poisoned[#poisoned + 1] = raw
  else
    local pushed = redis.pcall('RPUSH', queue, raw)
    if type(pushed) == 'table' then return redis.error_reply(pushed.err .. ' (' .. queue .. ')') end
    local removed = redis.pcall('LREM', processing, 1, raw)
    if removed ~= 1 then
      redis.pcall('RPOP', queue)
      return redis.error_reply(type(removed) == 'table' and removed.err or 'ERR a claim cannot be removed')
    end
    recovered = recovered + 1
  end
  redis.pcall('HINCRBY', crashes, redis.sha1hex(raw), 1)
end
if recovered + #poisoned > 0 then redis.pcall('EXPIRE', crashes, remember) end
return { recovered, poisoned, redis.call('LLEN', processing) - #poisoned, redis.call('ZSCORE', consumers, consumer) }
