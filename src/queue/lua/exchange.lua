-- Settles finished claims and claims new messages, in one step.
--
-- KEYS 1 queue  2 processing list of the consumer  3 consumers  4 retry  5 dead  6 crashes  7 dead index  8 dead letters
-- ARGV 1 consumer
--      2 lease in ms; 0 = leave the lease alone
--      3 messages wanted
--      4 messages of this consumer in flight that are not settled here
--      5 "1" = reliable, "0" = plain: pop without a safety copy, settle without a check
--      6 crashes after which a message is claimed only alone
--      7 bytes after which no further message is claimed: large ones come one by one
--      8 lengths of the acknowledged claims, each followed by a space  9 their bytes, one after the other
--      10... four per other settlement: kind, claimed bytes, and
--           retry: unique member, delay in ms    bury: envelope, member of the index    hand-back: "", ""
-- Returns {lease, claims, lost, failed, solo, suspects}
--      lease     1 = kept, 0 = lost: nothing was done
--      claims    the messages claimed, oldest first
--      lost      numbers (from 1, acknowledgements first) of settlements whose claim was not in the list any more
--      failed    number, error text, number, error text, ...: these claims stand untouched
--      solo      1 = the claimed message killed its process before: claim nothing beside it
--      suspects  1 = such messages may be waiting: do not pop blindly
--
-- Lost means recovered by others (a negative score). A consumer that is not known, since Redis was emptied or lost its last
-- second, keeps its name: under another one nobody would look for what it claimed meanwhile.
--
-- Acknowledgements, nearly all there is, come in two arguments however many they are: as four arguments each they took
-- the client 3 of 90 µs per message more.
--
-- A write that fails after LREM would lose the message, so the claim goes back into the list in that case.
--
-- Under maxmemory Redis refuses the first write of a script if it may take memory, and no later one. A full Redis must be
-- emptied, and moving messages takes no more than it gives back: so the first write here, as in the other scripts that
-- move messages, is one that does nothing.

local queue, processing, consumers, retry, dead, crashes, dead_index, dead_letters = unpack(KEYS)
local consumer, lease, want, in_flight = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local reliable, solo_after, bytes_wanted = ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7])

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

redis.pcall('ZREM', consumers, '')
local crashed = redis.call('EXISTS', crashes) == 1
local kept_alone = 0

if lease > 0 and reliable then
  local expiry = redis.call('ZSCORE', consumers, consumer)
  if expiry and tonumber(expiry) < 0 then return { 0, {}, {}, {}, 0, 0 } end
  redis.pcall('ZADD', consumers, string.format('%.0f', math.max(now_ms() + lease, tonumber(expiry or 0) + 1)), consumer)
end

local buried_at = 0
-- In the order of burial, also of those that one run buries: a microsecond apart. Where the two new keys are refused, a
-- user of an earlier version's ACL for one, the letter goes to that version's list, from which it is moved later.
local function bury(envelope, member)
  local unique = string.match(member, '^%S*')
  local time = redis.call('TIME')
  buried_at = math.max(buried_at + 0.001, tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000)
  local done = redis.pcall('HSET', dead_letters, unique, envelope)
  if type(done) == 'number' then
    done = redis.pcall('ZADD', dead_index, string.format('%.3f', buried_at), member)
    if type(done) == 'number' then return done end
    redis.pcall('HDEL', dead_letters, unique)
  end
  return redis.pcall('LPUSH', dead, envelope)
end

local function act(kind, raw, first, second)
  if kind == 'retry' then
    return redis.pcall('ZADD', retry, string.format('%.0f', now_ms() + tonumber(second)), first)
  elseif kind == 'bury' then
    return bury(first, second)
  elseif kind == 'hand-back' then
    return redis.pcall('RPUSH', queue, raw)
  end
  return 1
end

local settled, lost, failed = 0, {}, {}
local function settle(kind, raw, first, second)
  settled = settled + 1
  if reliable and redis.call('LREM', processing, -1, raw) == 0 then
    lost[#lost + 1] = settled
    return
  end
  local done = act(kind, raw, first, second)
  if type(done) == 'table' and done.err then
    if reliable then redis.call('RPUSH', processing, raw) end
    failed[#failed + 1] = settled
    failed[#failed + 1] = done.err
  elseif crashed and kind ~= 'hand-back' then
    redis.pcall('HDEL', crashes, redis.sha1hex(raw))
  end
end

local from = 1
for length in string.gmatch(ARGV[8], '%d+') do
  local after = from + tonumber(length)
  settle('ack', string.sub(ARGV[9], from, after - 1))
  from = after
end
for at = 10, #ARGV, 4 do
  settle(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end

local function is_suspect(raw)
  if not raw then return false end
  local count = redis.pcall('HGET', crashes, redis.sha1hex(raw))
  return type(count) == 'string' and tonumber(count) >= solo_after
end

local claims, bytes = {}, 0
for _ = 1, want do
  local suspect = crashed and is_suspect(redis.call('LINDEX', queue, -1))
  if suspect and in_flight + #claims > 0 then break end
  local raw
  if reliable then raw = redis.call('RPOPLPUSH', queue, processing) else raw = redis.call('RPOP', queue) end
  if not raw then break end
  claims[#claims + 1] = raw
  bytes = bytes + #raw
  if suspect then kept_alone = 1 end
  if suspect or bytes >= bytes_wanted then break end
end

return { 1, claims, lost, failed, kept_alone, crashed and 1 or 0 }
