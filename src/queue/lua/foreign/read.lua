-- Reads members of the retries that are not ours, from where promote.lua puts them.
--
-- KEYS 1 retry
-- ARGV 1 most members  2 bytes after which no further one is read
-- Returns {the members}
--
-- One of ours that somebody put there is due now.

local retry, most, bytes_wanted = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])

-- first a removal of nothing: see exchange.lua
redis.call('ZREM', retry, 'no member')
local foreign, looked, bytes = {}, 0, 0
while looked < most and bytes < bytes_wanted do
  local member = redis.call('ZRANGEBYSCORE', retry, '-inf', '-inf', 'LIMIT', #foreign, 1)[1]
  if not member then break end
  looked, bytes = looked + 1, bytes + #member
  if head_of(member) then redis.call('ZADD', retry, 1, member) else foreign[#foreign + 1] = member end
end
return foreign
