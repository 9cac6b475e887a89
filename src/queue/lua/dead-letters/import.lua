-- Puts dead letters where they were before they were deleted, or where another Redis had them.
--
-- KEYS 1 index  2 letters
-- ARGV three per letter: its member of the index, its score or "" = now, the letter
-- Returns {letters put there, error of the first that Redis refused or ""}
--
-- What lies under the same unique stays as it is: a repeated import changes nothing. First a look that a wrong type refuses,
-- then the letter, then its line, without which nobody finds it; where the line is refused, the letter goes. No removal that
-- does nothing comes first, as elsewhere: this frees no memory, and a full Redis is to refuse it.

local index, letters = KEYS[1], KEYS[2]
redis.call('ZSCORE', index, '')

local time = redis.call('TIME')
local now = string.format('%.3f', tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000)

local put = 0
for at = 1, #ARGV, 3 do
  local member, score, letter = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local unique = string.match(member, '^%S*')
  if redis.call('HEXISTS', letters, unique) == 0 then
    local done = redis.pcall('HSET', letters, unique, letter)
    if type(done) == 'table' and done.err then return { put, done.err } end
    done = redis.pcall('ZADD', index, score ~= '' and score or now, member)
    if type(done) == 'table' and done.err then
      redis.call('HDEL', letters, unique)
      return { put, done.err }
    end
    put = put + 1
  end
end
return { put, '' }
