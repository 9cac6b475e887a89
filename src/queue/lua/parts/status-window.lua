-- After retry-head.lua. Until when a status of the last attempt of a retry may be on its way, in ms since the epoch: `window` ms
-- from its failure on, which the score and the interval tell. One whose unique ends with an `N` was made due then by
-- actions/retry.lua. Nil = an earlier build scheduled it, and it does not tell.
local function status_over(member, score, window)
  local colon, interval = head_of(member)
  if not interval then return nil end
  local is_hastened = string.find(string.match(string.sub(member, 1, colon - 1), '^%S+'), 'N$') ~= nil
  return is_hastened and score or score - interval + window, colon, is_hastened
end

