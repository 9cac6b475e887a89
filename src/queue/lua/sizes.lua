-- Counts the messages in each of the four places.
--
-- KEYS 1 queue  2 retry  3 dead  4 dead index  5... the processing lists
-- ARGV 1 bytes up to which the oldest waiting message is returned
-- Returns {waiting, processing, retrying, dead, oldest waiting message or "", of the dead those in the list of earlier versions,
--          due time in ms of the retry that is due first or "", now in ms or ""}
--
-- Members of the retries that are not ours lie at -inf, where this does not look (promote.lua).

local queue, retry, dead, dead_index = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local processing = 0
for at = 5, #KEYS do
  -- a key of another type holds nothing of ours
  local held = redis.pcall('LLEN', KEYS[at])
  if type(held) == 'number' then processing = processing + held end
end
local oldest = redis.call('LINDEX', queue, -1) or ''
if #oldest > tonumber(ARGV[1]) then oldest = '' end
local inbox = redis.call('LLEN', dead)
local buried = redis.call('ZCARD', dead_index) + inbox
-- a user who may not has the sizes all the same
local time = redis.pcall('TIME')
local now = time.err and '' or string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local first = redis.pcall('ZRANGEBYSCORE', retry, '(-inf', '(+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local due = not first.err and first[2] or ''
return { redis.call('LLEN', queue), processing, redis.call('ZCARD', retry), buried, oldest, inbox, due, now }
