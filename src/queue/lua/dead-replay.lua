-- Moves dead letters to the queue, in the order given, by LPUSH as producers do; or back to the list of earlier versions.
--
-- KEYS 1 queue, or the list of earlier versions  2 index  3 letters
-- ARGV three per letter: its member of the index, what is pushed, "" or the text to push
--      "given" = that text  "letter" = the letter as it is
--      "message" = what follows the first line of the letter: a message too large to be read by us
-- Returns {letters moved, error of the first that Redis refused or ""}
--
-- A letter that somebody else has moved or purged meanwhile is passed over. The new place comes first; before it two
-- removals that do nothing, so that one which is refused (a user who may not call it) leaves everything as it was. They
-- also are the first writes of the script: under maxmemory Redis refuses only that one, if it may take memory.

local queue, index, letters = KEYS[1], KEYS[2], KEYS[3]
redis.call('HDEL', letters, '')
redis.call('ZREM', index, '')

local function message_of(unique, kind, given)
  if kind == 'given' then return given end
  local letter = redis.call('HGET', letters, unique)
  if kind == 'letter' then return letter end
  return letter and string.sub(letter, (string.find(letter, '\n', 1, true) or 0) + 1)
end

local moved = 0
for at = 1, #ARGV, 3 do
  local member = ARGV[at]
  local unique = string.match(member, '^%S*')
  local message = redis.call('ZSCORE', index, member) and message_of(unique, ARGV[at + 1], ARGV[at + 2])
  if message then
    local done = redis.pcall('LPUSH', queue, message)
    if type(done) == 'table' and done.err then return { moved, done.err } end
    redis.call('ZREM', index, member)
    redis.call('HDEL', letters, unique)
    moved = moved + 1
  end
end
return { moved, '' }
