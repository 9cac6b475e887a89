-- After letter-failures.lua. What takes messages out of hand shares: see exchange.lua for the order of writes, and for what the score in `untold` says.

local function refusal_of(done, command, key)
  if type(done) ~= 'table' or not done.err then return nil end
  return done.err .. ' (' .. command .. ' ' .. key .. ')'
end

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function undo_burial(index, letters, untold, line)
  redis.pcall('ZREM', untold, line)
  redis.pcall('ZREM', index, line)
  redis.pcall('HDEL', letters, string.match(line, '^%S*'))
end

local function forget_failures(failures, id)
  if id ~= '' then redis.pcall('HDEL', failures, id) end
end

-- Those of one run are a microsecond apart, in their order. Before `not_before`, in ms, nobody tells the main server of it,
-- replays or purges it; 0 = no status of it can be on its way. What is kept of the failed attempts of `id`, "" = it has none that can be read, goes along. Returns why it
-- is refused, and nothing is written then; or nil.
local last_us = 0
local function bury(index, letters, untold, failures, id, envelope, line, not_before)
  if id ~= '' then envelope = with_failures(failures, id, envelope) end
  last_us = math.max(last_us + 1, now_us())
  local done = redis.pcall('HSET', letters, string.match(line, '^%S*'), envelope)
  local why = refusal_of(done, 'HSET', letters)
  if why then return why end
  done = redis.pcall('ZADD', index, string.format('%.3f', last_us / 1000), line)
  why = refusal_of(done, 'ZADD', index)
  -- of what has no id that can be read there is nobody to tell
  if not why and string.find(line, '^%S* %S* %S') then
    local due = math.max(math.floor(last_us / 1000) + 1000, math.ceil(not_before)) + (not_before > 0 and 0.5 or 0)
    why = refusal_of(redis.pcall('ZADD', untold, string.format('%.1f', due), line), 'ZADD', untold)
  end
  if why then undo_burial(index, letters, untold, line) end
  return why
end

