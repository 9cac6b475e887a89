-- Takes burials of which the main server has not heard and that are due, for one teller: nobody else takes them, and no
-- operator replays or purges them, until the time that it gets is over.
--
-- KEYS 1 untold  2 dead index  3 dead letters
-- ARGV 1 burials wanted  2 ms that the teller gets  3 longest wait in ms  4 of each letter so many bytes
--      5 time in ms that Redis's clock has not passed by the teller's reckoning, or "": what is due later is left
-- Returns {ms until the next one is due or -1, {four per burial: its line of the index, its score, bytes of the letter,
--          the letter or its beginning}, now in ms}
--
-- The score is the time of the next try in ms; with a half it is the time until which one is being told. One that is due
-- later than any wait is due: the clock of Redis was set back. One that is no letter any more, since a build that knows
-- nothing of this key has replayed or purged it, is forgotten: the main server must not hear of it.

local untold, index, letters = unpack(KEYS)
-- first a removal of nothing, or a full Redis refuses this: see exchange.lua
redis.call('ZREM', untold, '')
local wanted, hold, longest, most_bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local reckoned = math.min(now, tonumber(ARGV[5]) or now)
local latest = string.format('%.0f', now + math.max(hold, longest) + 1)

local due = redis.call('ZRANGEBYSCORE', untold, '-inf', string.format('%.0f', reckoned), 'LIMIT', 0, wanted)
for _, line in ipairs(redis.call('ZRANGEBYSCORE', untold, '(' .. latest, '+inf', 'LIMIT', 0, wanted - #due)) do
  due[#due + 1] = line
end

local taken = {}
for _, line in ipairs(due) do
  local letter = redis.call('ZSCORE', index, line) and redis.call('HGET', letters, string.match(line, '^%S*'))
  if letter then
    local score = string.format('%.1f', now + hold + 0.5)
    redis.call('ZADD', untold, score, line)
    for _, value in ipairs({ line, score, #letter, string.sub(letter, 1, most_bytes) }) do taken[#taken + 1] = value end
  else
    redis.call('ZREM', untold, line)
  end
end

local first = redis.call('ZRANGE', untold, 0, 0, 'WITHSCORES')
return { first[2] and math.max(0, math.ceil(tonumber(first[2]) - reckoned)) or -1, taken, now }
