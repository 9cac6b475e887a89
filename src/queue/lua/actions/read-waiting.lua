-- Reads waiting messages, from the newest towards the oldest.
--
-- KEYS 1 queue
-- ARGV 1 index of the first one  2 most messages  3 bytes after which no further ones are read
-- Returns {messages in all, {the messages}}
--
-- Each look into the middle of a long list takes Redis up to 0.1 ms, and a message may be 50 MB: so a look takes twice as
-- many as the one before for as long as they are small.

local queue, from, most, bytes_wanted = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local found, bytes, at_once = {}, 0, 8
while #found < most and bytes < bytes_wanted do
  local first = from + #found
  local entries = redis.call('LRANGE', queue, first, first + math.min(at_once, most - #found) - 1)
  for _, raw in ipairs(entries) do
    found[#found + 1] = raw
    bytes = bytes + #raw
  end
  if #entries < at_once then break end
  local room = math.floor((bytes_wanted - bytes) / (bytes / #found + 1))
  at_once = math.max(1, math.min(2 * at_once, room))
end
return { redis.call('LLEN', queue), found }
