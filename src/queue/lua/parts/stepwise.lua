-- One step of a walk over entries that may be of any size: it ends after so many entries or bytes.
--
-- Entries are read several at once, since to go to one takes as long as to read dozens, and no more at once than together
-- have about 1 MB by the largest of those before: 128 of 300 bytes, one of 1 MB.

local BYTES_AT_ONCE, MOST_AT_ONCE, BYTES_LOOKED_AT, BYTES_RETURNED = 1048576, 128, 8388608, 1048576

-- read(from, to): the entries from rank to rank. visit(rank, entry): bytes that it returns of it; nil = this one is not
-- taken any more. Returns {entries looked at, entries to read at once next}
local function look(first, most, at_once, read, visit)
  local looked, bytes, returned = 0, 0, 0
  while looked < most and bytes < BYTES_LOOKED_AT and returned < BYTES_RETURNED do
    local from, largest = first + looked, 1
    local entries = read(from, from + math.min(at_once, most - looked) - 1)
    if #entries == 0 then break end
    for number, entry in ipairs(entries) do
      local taken = visit(from + number - 1, entry)
      if not taken then return looked, at_once end
      looked, bytes, returned = looked + 1, bytes + #entry, returned + taken
      largest = math.max(largest, #entry)
      if bytes >= BYTES_LOOKED_AT or returned >= BYTES_RETURNED then break end
    end
    at_once = math.max(1, math.min(MOST_AT_ONCE, 2 * at_once, math.floor(BYTES_AT_ONCE / largest)))
  end
  return looked, at_once
end
