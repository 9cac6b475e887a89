-- Reads one dead letter, a large one in part.
--
-- KEYS 1 index  2 letters
-- ARGV 1 unique, or "" = by its place  2 place from 1 = the newest
--      3 letters up to so many bytes come whole  4 of the others so many bytes
-- Returns {unique, bytes of the letter, letter}; bytes -1 = there is none

local index, letters, unique = KEYS[1], KEYS[2], ARGV[1]
if unique == '' then
  local member = redis.call('ZREVRANGE', index, ARGV[2] - 1, ARGV[2] - 1)[1]
  unique = member and string.match(member, '^%S*') or ''
end
local letter = redis.call('HGET', letters, unique)
if not letter then return { unique, -1, '' } end
if #letter <= tonumber(ARGV[3]) then return { unique, #letter, letter } end
return { unique, #letter, string.sub(letter, 1, tonumber(ARGV[4])) }
