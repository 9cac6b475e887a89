-- Of a burial that the main server is being told of the score in `untold` has a half: until then nobody replays or purges it
-- (see untold/take.lua). 0 = it is not.
local function ms_being_told(untold, member, now)
  local score = redis.pcall('ZSCORE', untold, member)
  local till = type(score) == 'string' and tonumber(score) or 0
  return till % 1 == 0 and 0 or math.max(0, math.ceil(till - now))
end

