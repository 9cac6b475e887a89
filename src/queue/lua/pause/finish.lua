-- Ends the pause of all deliveries.
--
-- KEYS 1 paused
-- ARGV 1 bytes of the pause to return at most
-- Returns {1 = there was one, 0 = there was none, what stood there or "", ms that it would have stood or -1}

local paused, most = KEYS[1], tonumber(ARGV[1])

-- a key of another type is another program's
local before = redis.call('GET', paused)
if not before then return { 0, '', -1 } end
local left = redis.call('PTTL', paused)
redis.call('DEL', paused)
return { 1, string.sub(before, 1, most), left }
