-- Moves members that are not ours out of the retries, into the list of the dead.
--
-- KEYS 1 retry  2 dead
-- ARGV two per member: its bytes, the envelope to put in their place
-- Returns the number of members moved
--
-- The errors that this raises come before a member is copied: see exchange.lua for the order.

local retry, dead = KEYS[1], KEYS[2]

redis.call('ZREM', retry, 'no member')
local moved = 0
for at = 1, #ARGV, 2 do
  if redis.call('ZSCORE', retry, ARGV[at]) then
    redis.call('LPUSH', dead, ARGV[at + 1])
    local removed = redis.pcall('ZREM', retry, ARGV[at])
    if removed ~= 1 then
      redis.pcall('LREM', dead, 1, ARGV[at + 1])
      return redis.error_reply(type(removed) == 'table' and removed.err or 'ERR the member has vanished')
    end
    moved = moved + 1
  end
end
return moved
