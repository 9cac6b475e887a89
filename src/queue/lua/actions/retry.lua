-- Makes retries due sooner: as soon as no status of their last attempt can be on its way any more.
--
-- KEYS 1 retry
-- ARGV two per retry: its member, the ms for which it is left alone after its failure
-- Returns {now in ms, what became of each: -1 = it is not there any more, else the ms until it is due, 0 = it is}
--
-- When it failed stands in the score and in the member's interval (parts/retry-head.lua), so the new score needs no clock:
-- whoever promotes retries by an earlier reckoning, since Redis's clock was set ahead, holds this one as long. The order
-- stays that of the failures.
--
-- The new member has the rest as its interval, and an `N` at the end of its unique, which says that it is due as soon as it
-- may be: who finds it so leaves it. The new one comes first, then the old one goes: see exchange.lua.

local retry = KEYS[1]
redis.call('ZREM', retry, 'no member')
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- until it is due
local function hasten(member, score, window)
  local due, colon, is_hastened = status_over(member, score, window)
  if not due or is_hastened or score <= now or due >= score then return score - now end
  local unique, id = string.match(string.sub(member, 1, colon - 1), '^(%S+) (%S+) ')
  local hastened = string.format('%sN %s %d', unique, id, window) .. string.sub(member, colon)
  redis.call('ZADD', retry, string.format('%.0f', due), hastened)
  local removed = redis.pcall('ZREM', retry, member)
  if removed == 1 then return due - now end
  redis.pcall('ZREM', retry, hastened)
  return nil, type(removed) == 'table' and removed.err or 'ERR the retry has vanished'
end

local became = {}
for at = 1, #ARGV, 2 do
  local score = redis.call('ZSCORE', retry, ARGV[at])
  if not score then
    became[#became + 1] = -1
  else
    local left, refused = hasten(ARGV[at], tonumber(score), tonumber(ARGV[at + 1]))
    if refused then return redis.error_reply(refused) end
    became[#became + 1] = math.max(0, math.ceil(left))
  end
end
return { now, became }
