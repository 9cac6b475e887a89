-- Looks at the index of the dead letters, a bounded number of entries and bytes at a time.
--
-- KEYS 1 index  2 letters
-- ARGV 1 "older" = from the newest towards older ones, "newer" = from the oldest on
--      2 member behind which it begins, or ""  3 its score, or "": from the first that is meant
--      4 lowest score meant, or "-inf"  5 highest score meant, or "+inf"
--      6 reason  7 client  8 domain, each as in the index; " " = any
--      9 most entries looked at  10 most matches
--      11 "1" = the letters too  12 bytes after which no further letter is read: large ones come one by one
--      13 letters up to so many bytes come whole  14 of the others so many bytes
--      15... message ids, as in the index, or uniques; none = any
-- Returns {entries in the index, entries looked at, 1 = there are no more,
--          {last entry looked at: member, score, place}, {last that did not match: member, score, place},
--          {five per match: member, score, place, bytes of the letter or -1, letter or ""}}
--
-- Places count from 1, the newest. They change as letters come and go, members do not: a walk goes on behind a member. When that one is gone it goes on
-- at the first with its score, and looks again at those that died in the same microsecond.

local index, letters = KEYS[1], KEYS[2]
local older = ARGV[1] == 'older'
local lowest, highest = tonumber(ARGV[4]) or -math.huge, tonumber(ARGV[5]) or math.huge
local most_looked, most_matches = tonumber(ARGV[9]), tonumber(ARGV[10])
local with_letters, bytes_wanted = ARGV[11] == '1', tonumber(ARGV[12])
local whole, beginning = tonumber(ARGV[13]), tonumber(ARGV[14])

local wanted
for at = 15, #ARGV do
  wanted = wanted or {}
  wanted[ARGV[at]] = true
end
local is_filtered = wanted or ARGV[6] ~= ' ' or ARGV[7] ~= ' ' or ARGV[8] ~= ' '

local function is_meant(member)
  if not is_filtered then return true end
  local unique, reason, id, client, domain = string.match(member, '^(%S*) (%S*) (%S*) (%S*) (%S*)$')
  if not unique then return wanted ~= nil and wanted[string.match(member, '^%S*')] == true end
  return (not wanted or wanted[id] or wanted[unique]) and (ARGV[6] == ' ' or ARGV[6] == reason)
    and (ARGV[7] == ' ' or ARGV[7] == client) and (ARGV[8] == ' ' or ARGV[8] == domain)
end

local function first_rank()
  if ARGV[2] ~= '' then
    local rank = redis.call(older and 'ZREVRANK' or 'ZRANK', index, ARGV[2])
    if rank then return rank + 1 end
  end
  local from = ARGV[3] ~= '' and ARGV[3] or (older and ARGV[5] or ARGV[4])
  if older then return redis.call('ZCOUNT', index, '(' .. from, '+inf') end
  return redis.call('ZCOUNT', index, '-inf', '(' .. from)
end

local function letter_of(member)
  local unique = string.match(member, '^%S*')
  local size = redis.call('HSTRLEN', letters, unique)
  if size == 0 and redis.call('HEXISTS', letters, unique) == 0 then size = -1 end
  return unique, size
end

local total, rank = redis.call('ZCARD', index), first_rank()
local entries = redis.call(older and 'ZREVRANGE' or 'ZRANGE', index, rank, rank + most_looked - 1, 'WITHSCORES')
local looked, bytes, at_end = 0, 0, #entries < 2 * most_looked
local last, last_other, matches = {}, {}, {}
for at = 1, #entries, 2 do
  local member, score = entries[at], entries[at + 1]
  local number = tonumber(score)
  if older and number < lowest or not older and number > highest then
    at_end = true
    break
  end
  local place = older and rank + looked + 1 or total - rank - looked
  if number < lowest or number > highest or not is_meant(member) then
    last_other = { member, score, place }
  else
    local unique, size = letter_of(member)
    if #matches == 5 * most_matches or with_letters and bytes > 0 and bytes + size > bytes_wanted then
      at_end = false
      break
    end
    local letter = ''
    if with_letters and size > 0 then
      letter = redis.call('HGET', letters, unique)
      bytes = bytes + size
      if size > whole then letter = string.sub(letter, 1, beginning) end
    end
    for _, value in ipairs({ member, score, place, size, letter }) do matches[#matches + 1] = value end
  end
  looked = looked + 1
  last = { member, score, place }
end
return { total, looked, at_end and 1 or 0, last, last_other, matches }
