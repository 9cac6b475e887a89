-- Tries commands in a form that changes nothing, to learn which this user may not run.
--
-- KEYS 1 a key that nobody has  2 consumers  3 retry
-- ARGV the commands: words with blanks between them, KEY for the first key, SET for a sorted set that is not empty
-- Returns what Redis said to each, "" where it was done; one that needs a SET is passed over where there is none
--
-- A word that is no number, or one too many, stops a write after the permission was looked at and before anything is
-- written. A push has no such form: a sorted set refuses it.

local nobodys, consumers, retry = unpack(KEYS)

local function is_filled(size) return type(size) == 'number' and size > 0 end
local set = is_filled(redis.pcall('ZCARD', consumers)) and consumers or is_filled(redis.pcall('ZCARD', retry)) and retry or nil

local meant = { KEY = nobodys, SET = set }
local answers = {}
for at, line in ipairs(ARGV) do
  local words, is_whole = {}, true
  for word in string.gmatch(line, '%S+') do
    local key = word == 'KEY' or word == 'SET'
    if key and not meant[word] then is_whole = false end
    words[#words + 1] = key and meant[word] or word
  end
  local done = is_whole and redis.pcall(unpack(words))
  answers[at] = type(done) == 'table' and done.err or ''
end
return answers
