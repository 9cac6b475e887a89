-- Finds the consumers whose claims must be recovered.
--
-- KEYS 1 consumers
-- ARGV 1 prefix of the processing lists (same cluster slot)  2 ms after which a recovered consumer is forgotten
-- Returns {{consumers to recover}, ms until the next lease runs out or -1}
--
-- Score = lease expiry in ms, or minus the time of recovery. A recovered consumer is named again when a claim landed
-- in its list afterwards.

local consumers, prefix, forget_after = KEYS[1], ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local found = {}
local known = redis.call('ZRANGEBYSCORE', consumers, '-inf', string.format('%.0f', now), 'WITHSCORES')
for at = 1, #known, 2 do
  local consumer, score = known[at], tonumber(known[at + 1])
  if score >= 0 or redis.call('LLEN', prefix .. consumer) > 0 then
    found[#found + 1] = consumer
  elseif now + score > forget_after then
    redis.call('ZREM', consumers, consumer)
  end
end

local next_lease = redis.call('ZRANGEBYSCORE', consumers, '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
if #next_lease == 0 then return { found, -1 } end
return { found, math.ceil(tonumber(next_lease[2]) - now) }
