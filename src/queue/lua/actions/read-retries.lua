-- Reads retries, from the one due first on.
--
-- KEYS 1 retry
-- ARGV 1 lowest score, "" = any  2 retries with that score to pass over  3 highest score  4 most retries
--      5 bytes after which no further one is read: large ones come one by one
-- Returns {retries in all, now in ms, {two per retry: member, score}}
--
-- What is not ours has the score -inf (promote.lua), and is passed over.

local retry, lowest, highest, most, bytes_wanted = KEYS[1], ARGV[1], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local first = redis.call('ZCOUNT', retry, '-inf', lowest == '' and '-inf' or '(' .. lowest) + tonumber(ARGV[2])
local behind = redis.call('ZCOUNT', retry, '-inf', highest)
local found, bytes = {}, 0
while #found < 2 * most and bytes < bytes_wanted and first + #found / 2 < behind do
  local rank = first + #found / 2
  local entry = redis.call('ZRANGE', retry, rank, rank, 'WITHSCORES')
  bytes = bytes + #entry[1]
  found[#found + 1] = entry[1]
  found[#found + 1] = entry[2]
end
return { redis.call('ZCARD', retry), now, found }
