-- Looks through a list of messages from its left end on, a bounded number of entries and bytes at a time.
--
-- KEYS 1 queue, or the processing list of a consumer
-- ARGV 1 index at which it begins  2 most entries looked at  3 most matches  4 most bytes of each match
--      5 entries read at once to begin with  6... see parts/wanted.lua
-- Returns {length of the list, entries looked at, entries to read at once next, {three per match: index, bytes, message or its beginning}}
--
-- Pushes move entries away from the left end and claims take them from the other: a walk that goes on at an index meets
-- some twice and misses none.

local list = KEYS[1]
local most_matches, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local is_wanted = wanted_by(6)

local matches = {}
local function visit(index, raw)
  if not is_wanted(raw, 1) then return 0 end
  local count = #matches
  if count == 3 * most_matches then return nil end
  local shown = #raw > most_bytes and string.sub(raw, 1, most_bytes) or raw
  matches[count + 1], matches[count + 2], matches[count + 3] = index, #raw, shown
  return #shown
end

local length = redis.call('LLEN', list)
local looked, at_once = look(tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[5]), at_once_in_list(length), function(from, to)
  return redis.call('LRANGE', list, from, to)
end, visit)
return { length, looked, at_once, matches }
