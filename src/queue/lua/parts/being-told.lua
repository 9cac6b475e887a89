-- Of a burial that the main server is being told of the score in `untold` has a half: until then nobody replays or purges it
-- (see untold/take.lua). Returns the ms until then; 0 = nobody tells of it, or what is scored up to `over` is over by more
-- than Redis's clock; -1 = by that clock it is over, but it may have been set ahead (domain/clocks/telling-window.ts).
local function ms_being_told(untold, member, now, over)
  local score = redis.pcall('ZSCORE', untold, member)
  local till = type(score) == 'string' and tonumber(score) or 0
  if till % 1 == 0 or till <= over then return 0 end
  return till > now and math.ceil(till - now) or -1
end

