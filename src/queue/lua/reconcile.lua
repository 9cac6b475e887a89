-- Compares the consumer's list with what its process holds. A claim whose reply was lost sits in the list unknown to
-- us; a settlement whose reply was lost is missing from it.
--
-- KEYS 1 queue  2 processing list of the consumer  3 consumers
-- ARGV 1 consumer  2 bytes from which only the two ends of a claim are compared, this many of each
--      3... the digest of every claim held, one argument each: its length, a space, SHA-1 of what is compared
-- Returns {claims handed back, {numbers (from 1) of held claims that are not in the list}, recovered}
--      recovered  1 = others took what was in the list (a negative score)
--
-- Of byte-identical claims the later numbers are reported missing: the caller puts unsettled claims first. Digests, since
-- what is held may be 50 MB each and the line slow. Where two large claims differ in their middle alone, one may be handed
-- back for the other: it is delivered twice, and nothing is lost.
--
-- The errors that this raises come before anything is moved, or between two moves.

local queue, processing, consumers = unpack(KEYS)
local consumer, large = ARGV[1], tonumber(ARGV[2])
local score = redis.call('ZSCORE', consumers, consumer)
-- first a removal of nothing: see exchange.lua
redis.call('LREM', processing, 0, consumer .. ' ')

local function digest(raw)
  local compared = raw
  if #raw > large then compared = string.sub(raw, 1, large) .. string.sub(raw, -large) end
  return string.format('%d %s', #raw, redis.sha1hex(compared))
end

local held = {}
for at = 3, #ARGV do held[ARGV[at]] = (held[ARGV[at]] or 0) + 1 end

-- newest first, so that the oldest ends rightmost and is claimed first; one by one, since they may be large
local handed_back, at, found = 0, 0, {}
for _ = 1, redis.call('LLEN', processing) do
  local raw = redis.call('LINDEX', processing, at)
  local known = digest(raw)
  if (found[known] or 0) < (held[known] or 0) then
    found[known] = (found[known] or 0) + 1
    at = at + 1
  else
    redis.call('RPUSH', queue, raw)
    redis.call('LREM', processing, 1, raw)
    handed_back = handed_back + 1
  end
end

local missing = {}
for number = 3, #ARGV do
  local left = found[ARGV[number]] or 0
  if left == 0 then missing[#missing + 1] = number - 2 else found[ARGV[number]] = left - 1 end
end

return { handed_back, missing, score and tonumber(score) < 0 and 1 or 0 }
