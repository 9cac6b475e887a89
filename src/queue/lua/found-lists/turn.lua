-- Takes, keeps or gives up the search for lists of consumers that nobody knows: one process of the whole fleet has it.
--
-- KEYS 1 searcher
-- ARGV 1 who asks  2 ms for which it is to have the search, 0 = it gives it up
-- Returns 1 = it has the search, 0 = another has it, or nobody
--
-- Whoever may not use the key, or finds something else there, searches as if it were alone: too many searches harm less
-- than none.

local searcher = KEYS[1]
local holder = redis.pcall('GET', searcher)
if type(holder) == 'table' then return 1 end
if type(holder) == 'string' and holder ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  if holder == ARGV[1] then redis.pcall('DEL', searcher) end
  return 0
end
redis.pcall('SET', searcher, ARGV[1], 'PX', ARGV[2])
return 1
