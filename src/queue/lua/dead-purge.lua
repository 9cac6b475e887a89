-- Deletes dead letters for good.
--
-- KEYS 1 dead
-- ARGV envelopes as they stand in the list
-- Returns the number of letters deleted

local purged = 0
for _, envelope in ipairs(ARGV) do purged = purged + redis.call('LREM', KEYS[1], -1, envelope) end
return purged
