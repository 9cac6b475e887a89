-- Before a script that claims, where the fleet has a rate: the last of KEYS is the rate's, the last of ARGV messages per
-- second. A claim takes a token; tokens come at the rate, and half a second's worth of them is kept, so that what is
-- claimed in any 10 s is at most ten times the rate and half a second's worth, wherever it is claimed. A clock that is set
-- back adds nothing and stalls nothing, one that is set ahead fills what is kept, once.
local rate, per_second = table.remove(KEYS), tonumber(table.remove(ARGV))
local kept, tokens, counted_at, taken = math.max(1, per_second / 2), 0, 0, 0

local function note_tokens(count)
  return redis.pcall('HSET', rate, 'tokens', string.format('%.6f %.3f', count, counted_at))
end

-- How many of `want` may be claimed now, and why none may, or nil.
local function take_tokens(want)
  local time = redis.call('TIME')
  counted_at = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
  local noted = redis.pcall('HGET', rate, 'tokens')
  local count, at = string.match(type(noted) == 'string' and noted or '', '^(%S+) (%S+)$')
  tokens = count and math.min(kept, tonumber(count) + math.max(0, counted_at - tonumber(at)) * per_second / 1000) or kept
  taken = math.min(want, math.floor(tokens))
  local done = note_tokens(tokens - taken)
  if type(done) == 'table' then return 0, done.err .. ' (HSET ' .. rate .. ')' end
  redis.pcall('EXPIRE', rate, math.ceil(60 + 2 * kept / per_second))
  return taken
end

-- Puts back what was not used; ms until the next token where more was wanted than there were, else 0.
local function end_of_claiming(used, want)
  if used < taken then note_tokens(tokens - used) end
  if used < taken or taken == want then return 0 end
  return math.max(1, math.ceil((1 - (tokens - taken)) / per_second * 1000))
end

