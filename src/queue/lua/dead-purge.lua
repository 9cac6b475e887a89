-- Deletes dead letters for good.
--
-- KEYS 1 index  2 letters
-- ARGV members of the index
-- Returns the number of letters deleted
--
-- First two removals that do nothing: a user who may not call one of them learns it before anything is gone.

local index, letters = KEYS[1], KEYS[2]
redis.call('HDEL', letters, '')
redis.call('ZREM', index, '')

local purged = 0
for _, member in ipairs(ARGV) do
  redis.call('HDEL', letters, string.match(member, '^%S*'))
  purged = purged + redis.call('ZREM', index, member)
end
return purged
