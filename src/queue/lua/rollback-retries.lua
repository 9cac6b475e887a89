-- Puts retries back on the queue before they are due, earliest due first, by LPUSH as the original worker does.
--
-- KEYS 1 retry  2 queue
-- ARGV 1 retries to move at most  2 bytes after which no further one is moved  3 foreign members to pass over: they stay
-- Returns {retries moved, {foreign members that were met}, retries left}
--
-- A member without a head (parts/retry-head.lua) is not ours, and the caller sets it aside. The errors that this raises come
-- before a message is copied: see exchange.lua for the order.

local retry, queue = KEYS[1], KEYS[2]
local most, bytes_wanted, passed = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

redis.call('ZREM', retry, 'no member')

local moved, bytes, foreign = 0, 0, {}
while moved + #foreign < most and bytes < bytes_wanted do
  local rank = passed + #foreign
  local member = redis.call('ZRANGE', retry, rank, rank)[1]
  if not member then break end
  bytes = bytes + #member
  local colon = head_of(member)
  if colon then
    redis.call('LPUSH', queue, string.sub(member, colon + 1))
    local removed = redis.pcall('ZREM', retry, member)
    if removed ~= 1 then
      redis.pcall('LREM', queue, 1, string.sub(member, colon + 1))
      return redis.error_reply(type(removed) == 'table' and removed.err or 'ERR the retry has vanished')
    end
    moved = moved + 1
  else
    foreign[#foreign + 1] = member
  end
end
return { moved, foreign, redis.call('ZCARD', retry) }
