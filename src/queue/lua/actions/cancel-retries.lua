-- Takes retries out of hand: each becomes a dead letter, or is erased.
--
-- KEYS 1 retry  2 dead index  3 dead letters  4 untold  5 failures
-- ARGV five per retry: its member, its envelope or "" = nothing is kept of it, its line of the index or "",
--      the ms after its failure for which a status of it may be on its way, its id
-- Returns {retries taken out, why the next one is refused or ""}
--
-- One that is not there any more is passed over. Before a status that may be on its way has had its effect, the main server
-- is not told that it failed, and nobody replays or purges it. For the order of writes see exchange.lua.

local retry, index, letters, untold, failures = unpack(KEYS)
redis.call('ZREM', retry, 'no member')

local function take_out(member, score, envelope, line, window, id)
  if envelope ~= '' then
    local refused = bury(index, letters, untold, failures, id, envelope, line, status_over(member, score, window) or score)
    if refused then return refused end
  end
  local removed = redis.pcall('ZREM', retry, member)
  if removed == 1 then
    forget_failures(failures, id)
    return nil
  end
  if envelope ~= '' then undo_burial(index, letters, untold, line) end
  return refusal_of(removed, 'ZREM', retry) or 'ERR the retry has vanished'
end

local taken = 0
for at = 1, #ARGV, 5 do
  local score = redis.call('ZSCORE', retry, ARGV[at])
  if score then
    local refused = take_out(ARGV[at], tonumber(score), ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]), ARGV[at + 4])
    if refused then return { taken, refused } end
    taken = taken + 1
  end
end
return { taken, '' }
