-- Compares the consumer's list with what its process holds. A claim whose reply was lost sits in the list unknown to
-- us; a settlement whose reply was lost is missing from it.
--
-- KEYS 1 queue  2 processing list of the consumer
-- ARGV the bytes of every claim held, one argument each
-- Returns {claims handed back, {numbers (from 1) of held claims that are not in the list}}
--
-- Of byte-identical claims the later numbers are reported missing: the caller puts unsettled claims first.

local queue, processing = unpack(KEYS)
-- first a write that does nothing: see exchange.lua
redis.pcall('LREM', processing, 0, '')
local listed = redis.call('LRANGE', processing, 0, -1)

local in_list = {}
for _, raw in ipairs(listed) do in_list[raw] = (in_list[raw] or 0) + 1 end

local missing = {}
for number, raw in ipairs(ARGV) do
  local left = in_list[raw] or 0
  if left == 0 then missing[#missing + 1] = number else in_list[raw] = left - 1 end
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

return { handed_back, missing }
