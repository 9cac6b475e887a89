-- Moves the oldest letters of the list that earlier versions bury in to the index and the letters.
--
-- KEYS 1 dead  2 index  3 letters
-- ARGV 1 bytes at the beginning of a letter that are hashed
--      2... four per letter, from the right end on: its bytes, their SHA-1, words of its member of the index, score or "" = now
-- Returns {letters moved, letters left in the list}
--
-- Only what still lies where it was seen is moved: two may do this at once. The unique is the hash and a number that is
-- free, since byte-identical letters stay as many as they were. First removals that do nothing, as in dead-letters/replay.lua;
-- then the new place, then LTRIM takes all that have one from the list.

local dead, index, letters, hashed = KEYS[1], KEYS[2], KEYS[3], tonumber(ARGV[1])
redis.call('LTRIM', dead, 0, -1)
redis.call('HDEL', letters, '')
redis.call('ZREM', index, '')

local time = redis.call('TIME')
local now = string.format('%.3f', tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000)

-- doubles the number until one is free, then halves the way back: a thousand twins take ten looks each
local function free_unique(hash)
  local function is_taken(number) return redis.call('HEXISTS', letters, hash .. '.' .. number) == 1 end
  local taken, free = 0, 1
  while is_taken(free) do taken, free = free, free * 2 end
  while free - taken > 1 do
    local middle = math.floor((free + taken) / 2)
    if is_taken(middle) then taken = middle else free = middle end
  end
  return string.format('%s.%d', hash, free)
end

local function adopt(letter, words, score)
  local unique = free_unique(string.sub(redis.sha1hex(string.sub(letter, 1, hashed)), 1, 12))
  local done = redis.pcall('HSET', letters, unique, letter)
  if type(done) == 'table' and done.err then return done.err end
  done = redis.pcall('ZADD', index, score ~= '' and score or now, unique .. ' ' .. words)
  if type(done) == 'table' and done.err then
    redis.call('HDEL', letters, unique)
    return done.err
  end
end

local moved, refusal = 0, nil
for at = 2, #ARGV, 4 do
  local letter = redis.call('LINDEX', dead, -1 - moved)
  if not letter or #letter ~= tonumber(ARGV[at]) then break end
  if redis.sha1hex(string.sub(letter, 1, hashed)) ~= ARGV[at + 1] then break end
  refusal = adopt(letter, ARGV[at + 2], ARGV[at + 3])
  if refusal then break end
  moved = moved + 1
end
if moved > 0 then redis.call('LTRIM', dead, 0, -1 - moved) end
if refusal and moved == 0 then return redis.error_reply(refusal) end
return { moved, redis.call('LLEN', dead) }
