-- Looks at the list that earlier versions bury in, at its right end, where the oldest are.
--
-- KEYS 1 dead
-- ARGV 1 most letters  2 bytes after which no further one is read: large ones come one by one
--      3 letters up to so many bytes come whole  4 of the others so many bytes
-- Returns {letters in the list, {two per letter, the oldest first: its bytes, the letter}}

local dead, most, bytes_wanted = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local whole, beginning = tonumber(ARGV[3]), tonumber(ARGV[4])

local found, bytes = {}, 0
while #found < 2 * most and bytes < bytes_wanted do
  local letter = redis.call('LINDEX', dead, -1 - #found / 2)
  if not letter then break end
  bytes = bytes + #letter
  found[#found + 1] = #letter
  found[#found + 1] = #letter <= whole and letter or string.sub(letter, 1, beginning)
end
return { redis.call('LLEN', dead), found }
