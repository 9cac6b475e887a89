-- Adds what one writer has counted to the book of this minute and this hour, and what has arrived since anybody looked.
--
-- KEYS 1 totals  2 writers  3 minutes of a day  4 hours of its month
--      5 queue  6 retry  7 dead  8 dead index  9... the processing lists
-- ARGV 1 the day, UTC, in days since 1970, to which keys 3 and 4 belong
--      2 writer: one process, a name that is never used again
--      3 age of the message that waits longest, in seconds, as the writer saw it; 0 = none, or not known
--      4 bytes up to which the message that waits longest is returned
--      5 for how many ms the writer's workers have delivered nothing and could not have; 0 = they can
--      6... delivered, failed, retried, buried, acknowledged, as they stand since the writer's start
--      11... the same as the writer knows them to be written: where Redis has lost what it knew of it
-- Returns {0, now in ms}: it is another day by Redis's clock, and nothing was done; else
--         {1, now, arrived since the book began, waiting, oldest waiting message or ""}
--
-- A writer says how its counts stand, and what is new in them is added: one whose reply was lost says the same again.
--
-- No script counts what arrives, since an exchange has no time for it. What all places hold together changes by three things
-- only: messages arrive, are acknowledged, or are taken out by an operator (`gone`, src/queue/history/gone.ts). So
--
--   arrived = growth of all places + acknowledged + gone
--
-- A count comes up to some seconds later than its message went: until then the sum is negative, and that is `owed` by the
-- growth that follows. What is owed for longer than a minute, and is more than a quarter of a minute's acknowledgements,
-- was taken by somebody who counts nothing here (a Python worker, DEL), and is forgotten.
--
-- Two lists of spans, `from until` in ms, stand in the totals: `gaps`, in which nobody looked (writers look every 2 s; after
-- 15 s it was an outage of Redis or of all of them), and `outages`, in which a writer's workers stood still for 5 s or more.
-- What is less than a minute apart is one, and the last 200 are kept, some 5 KB.
--
-- A side book: it has no part in what becomes of a message. A full Redis refuses the first write, and nothing was done.

local totals, writers, minutes, hours, queue, retry, dead, dead_index = unpack(KEYS)
local writer, age, stood_ms, counted = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5]), 5
local gap_ms, outage_ms, apart_ms, spans_kept = 15000, 5000, 60000, 200
local minutes_kept, hours_kept, writers_kept = 9 * 86400, 431 * 86400, 86400
local writer_forgotten_ms = 3600000

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if math.floor(now / 86400000) ~= tonumber(ARGV[1]) then return { 0, now } end

local waiting = redis.call('LLEN', queue)
local held = waiting + redis.call('ZCARD', retry) + redis.call('LLEN', dead) + redis.call('ZCARD', dead_index)
for at = 9, #KEYS do
  -- a key of another type holds nothing of ours
  local claimed = redis.pcall('LLEN', KEYS[at])
  if type(claimed) == 'number' then held = held + claimed end
end
local oldest = redis.call('LINDEX', queue, -1) or ''
if #oldest > tonumber(ARGV[4]) then oldest = '' end

local function whole(number) return string.format('%.0f', number) end
local function total(field) return tonumber(redis.call('HGET', totals, field) or nil) end

local seen = total('at')
-- what may be refused comes first, where it does no harm
redis.call('HSET', totals, 'at', whole(now))
redis.call('EXPIRE', totals, hours_kept)
redis.call('EXPIRE', writers, writers_kept)

local function add_span(field, from, to)
  local spans = {}
  for number in string.gmatch(redis.call('HGET', totals, field) or '', '%d+') do spans[#spans + 1] = tonumber(number) end
  local last = #spans
  if last > 1 and from <= spans[last] + apart_ms then
    spans[last - 1], spans[last] = math.min(spans[last - 1], from), math.max(spans[last], to)
  else
    spans[last + 1], spans[last + 2] = from, to
  end
  for at = 1, #spans do spans[at] = whole(spans[at]) end
  redis.call('HSET', totals, field, table.concat(spans, ' ', math.max(1, #spans - 2 * spans_kept + 1)))
end

if not seen then redis.call('HSET', totals, 'begun', whole(now)) end
if seen and now - seen > gap_ms then add_span('gaps', seen, now) end
if stood_ms >= outage_ms then add_span('outages', now - stood_ms, now) end

local function forget_old_writers()
  local all = redis.call('HGETALL', writers)
  for at = 1, #all, 2 do
    local seen = tonumber(string.match(all[at + 1], '^%d+'))
    if not seen or seen < now - writer_forgotten_ms then redis.call('HDEL', writers, all[at]) end
  end
end

-- returns what is new in each count
local function news()
  local known, before = redis.call('HGET', writers, writer), {}
  for number in string.gmatch(known or '', '%d+') do before[#before + 1] = tonumber(number) end
  if not known then forget_old_writers() end
  local new, stand = {}, { whole(now) }
  for at = 1, counted do
    local count = tonumber(ARGV[5 + at])
    -- the first of those known is the time
    new[at] = math.max(0, count - (before[at + 1] or tonumber(ARGV[5 + counted + at])))
    stand[at + 1] = whole(count)
  end
  redis.call('HSET', writers, writer, table.concat(stand, ' '))
  return new
end

local new = news()
local minute = math.floor(now / 60000)

local function arrivals()
  local before, acknowledged = total('held'), new[5]
  local owed, fell, left = total('owed') or 0, total('fell') or 0, total('left') or 0
  if total('minute') ~= minute then owed, fell, left = math.min(owed, math.floor(fell + left / 4)), 0, 0 end
  local grown = before and held - before + acknowledged + (total('gone') or 0) or 0
  if grown < 0 then fell = fell - grown end
  local arrived = math.max(0, grown - owed)
  redis.call('HSET', totals, 'held', whole(held), 'owed', whole(math.max(0, owed - grown)), 'fell', whole(fell),
    'left', whole(left + acknowledged), 'gone', '0', 'minute', whole(minute), 'arrived', whole((total('arrived') or 0) + arrived))
  return arrived
end

local arrived = arrivals()

local function add(key, field, seconds_kept)
  local line = {}
  for number in string.gmatch(redis.call('HGET', key, field) or '', '%S+') do line[#line + 1] = tonumber(number) or 0 end
  for at = 1, 4 do line[at] = whole((line[at] or 0) + new[at]) end
  line[5] = whole((line[5] or 0) + arrived)
  line[6] = string.format('%.1f', math.max(line[6] or 0, age))
  line[7] = whole(math.max(line[7] or 0, waiting))
  redis.call('HSET', key, field, table.concat(line, ' ', 1, 7))
  redis.call('EXPIRE', key, seconds_kept)
end

local is_quiet = waiting + age + arrived == 0
for at = 1, 4 do is_quiet = is_quiet and new[at] == 0 end
if not is_quiet then
  local hour, of_month = math.floor(now / 3600000) % 24, string.sub(minutes, -2)
  add(minutes, string.format('%02d:%02d', hour, minute % 60), minutes_kept)
  add(hours, string.format('%s %02d', of_month, hour), hours_kept)
end
return { 1, now, total('arrived'), waiting, oldest }
