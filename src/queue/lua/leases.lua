-- Reads the register of consumers for an observer, who does so twice a second.
--
-- KEYS 1 consumers
-- ARGV 1 leases at most: those that would end first by the clock of Redis, where the dead gather
--      2 recovered consumers at most: those recovered last  3 rank from which on as many others are read, in turn
-- Returns {leases, recovered}
--      each is consumer, score, consumer, score, ...
--
-- A score is a lease, renewed by change, or minus the time of recovery. However many were recovered, a look costs the same.

local consumers, most, few, from = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

-- A write that does nothing: where Redis refuses it, it refuses renewals as well, and this look proves nothing.
redis.call('ZREM', consumers, '')

local recovered = redis.call('ZRANGEBYSCORE', consumers, '-inf', '(0', 'WITHSCORES', 'LIMIT', 0, few)
if #recovered == 2 * few then
  local others = redis.call('ZRANGE', consumers, few + from, 2 * few + from - 1, 'WITHSCORES')
  for at = 1, #others, 2 do
    if tonumber(others[at + 1]) >= 0 then break end
    recovered[#recovered + 1] = others[at]
    recovered[#recovered + 1] = others[at + 1]
  end
end
return { redis.call('ZRANGEBYSCORE', consumers, '0', '+inf', 'WITHSCORES', 'LIMIT', 0, most), recovered }
