-- Moves dead letters to the queue, in the order given, by LPUSH as producers do; or back to the list of earlier versions.
--
-- KEYS 1 queue, or the list of earlier versions  2 index  3 letters  4 untold
-- ARGV 1 what is scored up to this in `untold` is over: see parts/being-told.lua
--      then three per letter: its member of the index, what is pushed, "" or the text to push
--      "given" = that text  "letter" = the letter as it is
--      "message" = what follows the first line of the letter: a message too large to be read by us
-- Returns {letters moved, error of the first that Redis refused or "", ms until the last of those is free that stay since
--          they are being told, or 0, {these}, how many of them are free already if Redis's clock was not set ahead}
--
-- What the main server is being told of as failed must not be delivered meanwhile: a late "failed" would overwrite
-- "delivered". For the same reason nobody tells it afterwards.
--
-- A letter that somebody else has moved or purged meanwhile is passed over. The new place comes first; before it two
-- removals that do nothing, so that one which is refused (a user who may not call it) leaves everything as it was. They
-- also are the first writes of the script: under maxmemory Redis refuses only that one, if it may take memory.

local queue, index, letters, untold = unpack(KEYS)
redis.call('HDEL', letters, '')
redis.call('ZREM', index, '')

local function message_of(unique, kind, given)
  if kind == 'given' then return given end
  local letter = redis.call('HGET', letters, unique)
  if kind == 'letter' then return letter end
  return letter and string.sub(letter, (string.find(letter, '\n', 1, true) or 0) + 1)
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local over, moved, held_ms, held, standing = tonumber(ARGV[1]), 0, 0, {}, 0
for at = 2, #ARGV, 3 do
  local member = ARGV[at]
  local unique = string.match(member, '^%S*')
  local ms = ms_being_told(untold, member, now, over)
  local message = ms == 0 and redis.call('ZSCORE', index, member) and message_of(unique, ARGV[at + 1], ARGV[at + 2])
  if ms ~= 0 then
    held[#held + 1] = member
    held_ms = math.max(held_ms, ms)
    if ms < 0 then standing = standing + 1 end
  elseif message then
    local done = redis.pcall('LPUSH', queue, message)
    if type(done) == 'table' and done.err then return { moved, done.err, held_ms, held, standing } end
    redis.pcall('ZREM', untold, member)
    redis.call('ZREM', index, member)
    redis.call('HDEL', letters, unique)
    moved = moved + 1
  end
end
return { moved, '', held_ms, held, standing }
