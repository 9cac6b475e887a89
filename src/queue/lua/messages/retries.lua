-- Looks through the retries, those due first before the others, a bounded number of members and bytes at a time.
--
-- KEYS 1 retry
-- ARGV 1 unique of the member behind which it begins, or ""  2 its score, or ""  3 highest score meant, or "+inf"
--      4 most members looked at  5 most matches  6 most bytes of each match  7 members read at once to begin with
--      8... see parts/wanted.lua
-- Returns {retries, members looked at, members to read at once next, 1 = there are no more,
--          {last member looked at: unique, score}, highest score of all or "",
--          now in ms, {four per match: score, bytes of the message, head of the member, message or its beginning}}
--
-- What a member is stands in parts/retry-head.lua; one that is not ours is passed over. Members leave at the front, so a
-- walk goes on behind a member, wherever it was: behind its score, and of one score behind its unique.

local retry = KEYS[1]
local unique, score, highest = ARGV[1], ARGV[2], ARGV[3]
local most_matches, most_bytes = tonumber(ARGV[5]), tonumber(ARGV[6])
local is_wanted = wanted_by(8)

local function unique_at(rank)
  return string.match(redis.call('ZRANGE', retry, rank, rank)[1], '^%S*')
end

local function first_rank()
  if score == '' then return redis.call('ZCOUNT', retry, '-inf', '-inf') end
  local low = redis.call('ZCOUNT', retry, '-inf', '(' .. score)
  local high = low + redis.call('ZCOUNT', retry, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if unique_at(middle) <= unique then low = middle + 1 else high = middle end
  end
  return low
end

local last
local matches = {}
local function visit(_, member)
  local colon = head_of(member)
  if not colon or not is_wanted(member, colon + 1) then last = member return 0 end
  local count = #matches
  if count == 4 * most_matches then return nil end
  local bytes = #member - colon
  matches[count + 1], matches[count + 2] = redis.call('ZSCORE', retry, member), bytes
  matches[count + 3], matches[count + 4] = string.sub(member, 1, colon - 1), string.sub(member, colon + 1, colon + math.min(bytes, most_bytes))
  last = member
  return math.min(bytes, most_bytes)
end

local first = first_rank()
local behind = redis.call('ZCOUNT', retry, '-inf', highest)
local most = math.max(0, math.min(tonumber(ARGV[4]), behind - first))
local looked, at_once = look(first, most, tonumber(ARGV[7]), at_once_in_set, function(from, to)
  return redis.call('ZRANGE', retry, from, to)
end, visit)
local time = redis.call('TIME')
local top = redis.call('ZREVRANGE', retry, 0, 0)[1]
return { redis.call('ZCARD', retry), looked, at_once, first + looked >= behind and 1 or 0,
  last and { string.match(last, '^%S*'), redis.call('ZSCORE', retry, last) } or {},
  top and redis.call('ZSCORE', retry, top) or '', time[1] * 1000 + math.floor(time[2] / 1000), matches }
