-- Finds recovered consumers in whose list a claim has landed since, and forgets those recovered long ago.
--
-- KEYS 1 consumers  2... their processing lists
-- ARGV 1 ms after which a recovered consumer is forgotten  2... the recovered consumers
-- Returns the numbers (from 1) of those whose list is not empty, or is no list

local consumers, forget_after = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local late = {}
for number = 1, #ARGV - 1 do
  local consumer = ARGV[number + 1]
  local length = redis.pcall('LLEN', KEYS[number + 1])
  local score = tonumber(redis.call('ZSCORE', consumers, consumer) or 0)
  if length ~= 0 then
    late[#late + 1] = number
  elseif score < 0 and now + score > forget_after then
    redis.call('ZREM', consumers, consumer)
  end
end
return late
