-- Compares the consumer's list with what its process holds. A claim whose reply was lost sits in the list unknown to
-- us; a settlement whose reply was lost is missing from it.
--
-- KEYS 1 queue  2 processing list of the consumer  3 consumers
-- ARGV 1 consumer  2... the bytes of every claim held, one argument each
-- Returns {claims handed back, {numbers (from 1) of held claims that are not in the list}, recovered}
--      recovered  1 = others took what was in the list (a negative score)
--
-- Of byte-identical claims the later numbers are reported missing: the caller puts unsettled claims first.

local queue, processing, consumers = unpack(KEYS)
-- first a write that does nothing: see exchange.lua
redis.pcall('LREM', processing, 0, '')
local listed = redis.call('LRANGE', processing, 0, -1)

local in_list = {}
for _, raw in ipairs(listed) do in_list[raw] = (in_list[raw] or 0) + 1 end

local missing = {}
for at = 2, #ARGV do
  local left = in_list[ARGV[at]] or 0
  if left == 0 then missing[#missing + 1] = at - 1 else in_list[ARGV[at]] = left - 1 end
end

-- newest first, so that the oldest ends rightmost and is claimed first
local handed_back = 0
for _, raw in ipairs(listed) do
  if in_list[raw] > 0 then
    in_list[raw] = in_list[raw] - 1
    redis.call('RPUSH', queue, raw)
    redis.call('LREM', processing, 1, raw)
    handed_back = handed_back + 1
  end
end

local expiry = redis.call('ZSCORE', consumers, ARGV[1])
return { handed_back, missing, expiry and tonumber(expiry) < 0 and 1 or 0 }
