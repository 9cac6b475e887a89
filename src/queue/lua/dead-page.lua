-- Reads dead letters, a bounded number of bytes at a time.
--
-- KEYS 1 dead
-- ARGV 1 index of the first (from 0: newest; or from -1: oldest)  2 step: 1 = towards older, -1 = towards newer
--      3 most letters  4 bytes after which no further one is read: large ones come one by one
-- Returns {letters in the list, {envelopes}}

local dead, index, step, most, bytes_wanted = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local envelopes, bytes = {}, 0
while #envelopes < most and bytes < bytes_wanted do
  local envelope = redis.call('LINDEX', dead, index)
  if not envelope then break end
  envelopes[#envelopes + 1] = envelope
  bytes = bytes + #envelope
  index = index + step
end
return { redis.call('LLEN', dead), envelopes }
