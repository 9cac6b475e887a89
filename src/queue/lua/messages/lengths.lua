-- Counts what lists hold.
--
-- KEYS 1... lists
-- ARGV none
-- Returns {entries of each}; what is no list holds none

local lengths = {}
for at, key in ipairs(KEYS) do
  local length = redis.pcall('LLEN', key)
  lengths[at] = type(length) == 'number' and length or 0
end
return lengths
