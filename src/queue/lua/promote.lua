-- Moves due retries to the queue, earliest due first, by LPUSH as the original worker does.
--
-- KEYS 1 retry  2 queue
-- ARGV 1 messages to move at most  2 bytes after which no further one is moved  3 ms to look ahead for the next one
--      4 time in ms that Redis's clock has not passed by the caller's reckoning, or "": what is due later is left
--      5 time in ms that Redis's clock has reached by the caller's reckoning, or ""
--      6... of each step back of Redis's clock within the last interval, less than an interval: see parts/retry-head.lua
-- Returns {{heads of the members moved}, foreign members put out of the way, ms until the next retry is due or -1, now in ms}
--
-- What a member is stands in parts/retry-head.lua. One that is not ours gets the score -inf, where this does not look: however
-- many there are, and whatever keeps them from being set aside (foreign/read.lua), each is met once.
--
-- After a step back, a retry from before it is due that much earlier than its score says. It is one whose interval began
-- before the time that the clock was set back to: the others from before are set right by retime.lua.
--
-- The errors that this raises come before a message is copied: see exchange.lua for the order. Members are read one by one,
-- since each may be large: 200 of 2 MB held Redis for 3 s.

local retry, queue = KEYS[1], KEYS[2]
local most, bytes_wanted, ahead, latest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
-- of members that are not moved, not more are read
local passed_most, passed_bytes_most = 1000, 16 * bytes_wanted

-- first a removal of nothing
redis.call('ZREM', retry, 'no member')
local time = redis.call('TIME')
local real = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local now = latest and math.min(real, latest) or real
-- it was set back, and the caller learns it by this answer: what it knows of former steps is not true of what came since
local is_news = real < (tonumber(ARGV[5]) or 0)

local most_back = not is_news and tonumber(ARGV[7] or 0) or 0
local function is_due(score, interval)
  return score <= now or (most_back > 0 and interval and score - put_off_by(score - interval, 6) <= now)
end

local function move(member, colon)
  local message = string.sub(member, colon + 1)
  redis.call('LPUSH', queue, message)
  local removed = redis.pcall('ZREM', retry, member)
  if removed == 1 then return nil end
  redis.pcall('LREM', queue, 1, message)
  return redis.error_reply(type(removed) == 'table' and removed.err or 'ERR the retry has vanished')
end

local heads, bytes, foreign, passed, passed_bytes = {}, 0, 0, 0, 0
local limit = string.format('%.0f', now + most_back)
while #heads < most and bytes < bytes_wanted and passed + foreign < passed_most and passed_bytes < passed_bytes_most do
  local found = redis.call('ZRANGEBYSCORE', retry, '(-inf', limit, 'WITHSCORES', 'LIMIT', passed, 1)
  local member, score = found[1], tonumber(found[2])
  if not member then break end
  local colon, interval = head_of(member)
  if colon and is_due(score, interval) then
    local refused = move(member, colon)
    if refused then return refused end
    heads[#heads + 1] = string.sub(member, 1, colon - 1)
    bytes = bytes + #member
  else
    passed_bytes = passed_bytes + #member
    if not colon and redis.pcall('ZADD', retry, '-inf', member) == 0 then foreign = foreign + 1
    else passed = passed + 1 end
  end
end

local from, to = string.format('%.0f', now), string.format('%.0f', now + ahead)
local first = redis.call('ZRANGEBYSCORE', retry, '(' .. from, to, 'WITHSCORES', 'LIMIT', 0, 1)
if #first == 0 then return { heads, foreign, -1, real } end
return { heads, foreign, math.max(0, math.ceil(tonumber(first[2]) - now)), real }
