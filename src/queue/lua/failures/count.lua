-- Adds what one process has counted of failed attempts to the counts of an hour.
--
-- KEYS 1 counts of the hour
-- ARGV 1 most entries  2 entry for what is more than that  3 seconds to keep the hour
--      4... five per group: its entry, attempts, first and last in ms, example
-- Returns the groups written
--
-- A value is `<attempts> <first> <last> <example>`; one that somebody else wrote is replaced.

local counts, most, rest = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local size = redis.call('HLEN', counts)

local function add(entry, attempts, first, last, example)
  local old = redis.call('HGET', counts, entry)
  if not old and size >= most and entry ~= rest then return add(rest, attempts, first, last, example) end
  local known, since, till, shown = string.match(old or '', '^(%d+) (%d+) (%d+) (.*)$')
  if known then
    if tonumber(till) > tonumber(last) then last, example = till, shown end
    attempts, first = tonumber(attempts) + tonumber(known), math.min(tonumber(first), tonumber(since))
  end
  local value = string.format('%.0f %.0f %.0f %s', tonumber(attempts), tonumber(first), tonumber(last), example)
  size = size + redis.call('HSET', counts, entry, value)
end

for at = 4, #ARGV, 5 do add(unpack(ARGV, at, at + 4)) end
redis.call('EXPIRE', counts, ARGV[3])
return (#ARGV - 3) / 5
