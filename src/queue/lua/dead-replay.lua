-- Moves dead letters to the queue, in the order given, by LPUSH as producers do.
--
-- KEYS 1 dead  2 queue
-- ARGV two per letter: its envelope as it stands in the list, the message to deliver again
-- Returns {letters moved, error of the first that Redis refused or ""}
--
-- A letter that somebody else has moved or purged meanwhile is passed over, so no message is ever in two places. LREM
-- comes first: under maxmemory Redis refuses only the first write of a script, and LREM is never refused.

local dead, queue = KEYS[1], KEYS[2]

local moved = 0
for at = 1, #ARGV, 2 do
  local envelope, message = ARGV[at], ARGV[at + 1]
  if redis.call('LREM', dead, -1, envelope) == 1 then
    local done = redis.pcall('LPUSH', queue, message)
    if type(done) == 'table' and done.err then
      redis.call('RPUSH', dead, envelope)
      return { moved, done.err }
    end
    moved = moved + 1
  end
end
return { moved, '' }
