-- Looks at the pause of all deliveries, and notes that a consumer keeps it: it begins nothing for as long as that stands
-- there, which it does until a look of its own finds no pause any more.
--
-- KEYS 1 paused  2 paused:seen
-- ARGV 1 consumer  2 the pause that it keeps, as the last look gave it  3 the id of that, "" = it keeps none
--      4 when that is to end, ms since the epoch by Redis's clock, "" = it does not say  5 bytes of a text to return at most
-- Returns {paused, text, ms until Redis ends it or -1, refusal}
--      paused   1 = there is one, 0 = there is none, -1 = Redis does not let us look: see the refusal
--      refusal  why it cannot be looked at, or why it cannot be noted that it is kept, or ""
--
-- A pause that says when it ends and was written without an expiry gets one: then Redis ends it for all at one moment.

local paused, seen = KEYS[1], KEYS[2]
local consumer, kept, id, ends_at, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])

local function error_of(reply)
  return type(reply) == 'table' and reply.err or nil
end

local function look()
  local text = redis.pcall('GET', paused)
  if type(text) == 'string' then return string.sub(text, 1, most) end
  return nil, error_of(text)
end

local text, refusal = look()
if text and id ~= '' and text == kept and ends_at ~= '' and redis.pcall('PTTL', paused) == -1 then
  refusal = error_of(redis.pcall('PEXPIREAT', paused, ends_at))
  text = look()
end
if not text then
  if id ~= '' then redis.pcall('HDEL', seen, consumer) end
  return { refusal and -1 or 0, '', -1, refusal or '' }
end
if id ~= '' and text == kept and redis.pcall('HGET', seen, consumer) ~= id then
  refusal = error_of(redis.pcall('HSET', seen, consumer, id)) or refusal
end
local left = redis.pcall('PTTL', paused)
return { 1, text, type(left) == 'number' and left or -1, refusal or '' }
