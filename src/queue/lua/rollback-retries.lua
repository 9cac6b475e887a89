-- Puts retries back on the queue before they are due, earliest due first, by LPUSH as the original worker does.
--
-- KEYS 1 retry  2 queue
-- ARGV 1 retries to move at most
-- Returns {retries moved, retries left}

local retry, queue = KEYS[1], KEYS[2]

local moved = 0
for _, member in ipairs(redis.call('ZRANGE', retry, 0, tonumber(ARGV[1]) - 1)) do
  -- ZREM first: it is never refused, and in a full Redis only the first write of a script can be
  local score = redis.call('ZSCORE', retry, member)
  redis.call('ZREM', retry, member)
  local done = redis.pcall('LPUSH', queue, string.sub(member, string.find(member, ':', 1, true) + 1))
  if type(done) == 'table' and done.err then
    redis.call('ZADD', retry, score, member)
    return redis.error_reply(done.err)
  end
  moved = moved + 1
end
return { moved, redis.call('ZCARD', retry) }
