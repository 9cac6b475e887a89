-- Takes retries out of hand: each becomes a dead letter, or is erased.
--
-- KEYS 1 retry  2 dead index  3 dead letters  4 untold
-- ARGV four per retry: its member, its envelope or "" = nothing is kept of it, its line of the index or "",
--      the ms after its failure for which a status of it may be on its way
-- Returns {retries taken out, why the next one is refused or ""}
--
-- One that is not there any more is passed over. Before a status that may be on its way has had its effect, the main server
-- is not told that it failed, and nobody replays or purges it. For the order of writes see exchange.lua.

local retry, index, letters, untold = unpack(KEYS)
redis.call('ZREM', retry, 'no member')

local function take_out(member, score, envelope, line, window)
  if envelope ~= '' then
    local refused = bury(index, letters, untold, envelope, line, status_over(member, score, window) or score)
    if refused then return refused end
  end
  local removed = redis.pcall('ZREM', retry, member)
  if removed == 1 then return nil end
  if envelope ~= '' then undo_burial(index, letters, untold, line) end
  return refusal_of(removed, 'ZREM', retry) or 'ERR the retry has vanished'
end

local taken = 0
for at = 1, #ARGV, 4 do
  local score = redis.call('ZSCORE', retry, ARGV[at])
  if score then
    local refused = take_out(ARGV[at], tonumber(score), ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]))
    if refused then return { taken, refused } end
    taken = taken + 1
  end
end
return { taken, '' }
