-- Takes waiting messages out of hand: each becomes a dead letter, or is erased, and a marker stands in its place.
--
-- KEYS 1 queue  2 dead index  3 dead letters  4 untold  5 failures
-- ARGV 1 index of the first entry to look at, from the newest  2 entries to look at
--      then five per message: its bytes, its envelope or "" = nothing is kept of it, its line of the index or "", the marker,
--      its id or ""
-- Returns {messages taken out, why the next one is refused or "", {numbers (from 1) of those not among the entries},
--          1 = no more entries lie behind these, entries looked at: fewer where they are large}
--
-- Pushes move a message away from the newest end, and a claim moves none: so it lies where it was seen, or behind that. An
-- element is overwritten only where its bytes are those that were seen. For the order of writes see exchange.lua: a burial
-- begins with two removals that do nothing; an LSET has no such form, and where it is refused the letter is removed again.

local queue, index, letters, untold, failures = unpack(KEYS)
local first, most = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREM', index, '')
redis.call('HDEL', letters, '')

-- byte-identical messages are as many as they are
local wanted = {}
for at = #ARGV - 4, 3, -5 do
  local same = wanted[ARGV[at]] or {}
  same[#same + 1] = at
  wanted[ARGV[at]] = same
end

local function take_out(place, at)
  local envelope, line, marker, id = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  if envelope ~= '' then
    local refused = bury(index, letters, untold, failures, id, envelope, line, 0)
    if refused then return refused end
  end
  local refused = refusal_of(redis.pcall('LSET', queue, place, marker), 'LSET', queue)
  if not refused then forget_failures(failures, id)
  elseif envelope ~= '' then undo_burial(index, letters, untold, line) end
  return refused
end

local taken, is_taken, refused = 0, {}, nil
local function visit(place, raw)
  local same = wanted[raw]
  local at = same and table.remove(same)
  if at then
    refused = take_out(place, at)
    if refused then return nil end
    taken, is_taken[at] = taken + 1, true
  end
  return 0
end

local length = redis.call('LLEN', queue)
local looked = look(first, most, FEW, at_once_in_list(length), function(from, to)
  return redis.call('LRANGE', queue, from, to)
end, visit)
if refused then return { taken, refused, {}, 0, looked } end

local missing = {}
for at = 3, #ARGV, 5 do
  if not is_taken[at] then missing[#missing + 1] = (at + 2) / 5 end
end
return { taken, '', missing, first + looked >= length and 1 or 0, looked }
