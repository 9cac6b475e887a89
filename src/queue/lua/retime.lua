-- Sets retries right that Redis's clock, after a step back, would keep waiting for longer than their own interval.
--
-- KEYS 1 retry
-- ARGV 1 rank of the first to look at, from the latest due on  2 most members  3 bytes after which no further one is looked at
--      4 ms that the clock went back, or 0 = not known  5... of each step back before that: see parts/retry-head.lua
-- Returns {members left as they were, members set right, foreign members put out of the way as by promote.lua}
--
-- A member is due its interval from now at the latest (parts/retry-head.lua); those of earlier builds have no
-- interval and stay. One that would have been due for a while was scheduled between two steps which the caller saw as one:
-- it waits its interval from now, since early it must not be.
--
-- One that is set right is as if it had been scheduled now, with the rest of its interval: so neither another caller nor
-- the next step takes it for one from before. Its new member comes first, then the old one goes.

local retry = KEYS[1]
local rank, most, bytes_wanted, back = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

-- who saw the step looks twice a second, and has promoted what was due before
local overdue_most = 500

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- first a removal of nothing: see exchange.lua
redis.call('ZREM', retry, 'no member')
local kept, changed, foreign, bytes = 0, 0, 0, 0
while kept + changed + foreign < most and bytes < bytes_wanted do
  local last = -1 - rank - kept
  local found = redis.call('ZRANGE', retry, last, last, 'WITHSCORES')
  local member, score = found[1], tonumber(found[2])
  if not member then break end
  bytes = bytes + #member
  local colon, interval = head_of(member)
  if not colon and score ~= -math.huge then
    redis.call('ZADD', retry, '-inf', member)
    foreign = foreign + 1
  elseif interval and score > now + interval then
    local due = math.min(score - back - put_off_by(score - interval, 5), now + interval)
    if due < now - overdue_most then due = now + interval end
    local rest = math.max(1, math.ceil(due - now))
    local moved = string.sub(member, 1, colon - 1 - #tostring(interval)) .. rest .. string.sub(member, colon)
    redis.call('ZADD', retry, string.format('%.0f', now + rest), moved)
    if moved ~= member then redis.call('ZREM', retry, member) end
    changed = changed + 1
  else
    kept = kept + 1
  end
end
return { kept, changed, foreign }
