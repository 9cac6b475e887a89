-- Settles finished claims and claims new messages, in one step.
--
-- KEYS 1 queue  2 processing list of the consumer  3 consumers  4 retry  5 dead  6 crashes  7 dead index  8 dead letters  9 untold
--      10 paused
-- ARGV 1 consumer
--      2 lease in ms, taken now; negative = only if the consumer is not known; 0 = leave the lease alone
--      3 messages wanted
--      4 messages of this consumer in flight that are not settled here
--      5 "1" = reliable, "0" = plain: pop without a safety copy, settle without a check
--      6 crashes after which a message is claimed only alone
--      7 bytes after which no further message is claimed: large ones come one by one
--      8 number of acknowledged claims  9... their bytes
--      then four per other settlement, six with failures (parts/failures.lua): kind, claimed bytes, and
--           retry: unique member, delay in ms    hand-back: "", ""    ack: "", ""; its message may have failed before
--           bury, bury-untold: envelope, member of the index; the main server has yet to hear of the latter
-- Returns {lease, claims, lost, failed, solo, suspects, refusal, paused, wait, skipped}
--      lease     1 = kept, 0 = lost: nothing was done
--      claims    the messages claimed, oldest first
--      lost      numbers (from 1, acknowledgements first) of settlements whose claim was not in the list any more
--      failed    number, error text, number, error text, ...: these claims stand untouched
--      solo      1 = the claimed message killed its process before: claim nothing beside it
--      suspects  1 = such messages may be waiting: do not pop blindly
--      refusal   why no further message was claimed, or ""; the settlements are as they are said to be
--      paused    1 = deliveries are paused, so nothing was claimed
--      wait      with a rate (parts/paced.lua): ms until the next message may be claimed, 0 = there was no need to wait
--      skipped   only if there is something: of burials that stand, how many lie in `dead`, of how many nobody will tell
--                the main server, and why or ""; of failed attempts, how many were not kept, and why or ""
--
-- Lost means recovered by others (a negative score). A consumer that is not known, since Redis was emptied or lost its last
-- second, keeps its name: under another one nobody would look for what it claimed meanwhile. It is made known before it
-- claims anything.
--
-- Acknowledgements, nearly all there is, come in one argument each: as four they took the client 3 of 90 µs per message
-- more, and all in one took Redis 0.6 of 6, since Lua hashes each string it makes, byte by byte, the whole and its parts.
-- They need no new place: each is one LREM.
--
-- Redis does not roll a script back, and may refuse any command (ACL, a key of another type). So for the others: a no-op of
-- the removal, which shows that it is permitted; whether the claim is there; the new place; the removal. Nothing below
-- raises an error once something was written.
--
-- Under maxmemory Redis refuses the first write of a script if it may take memory, and no later one. A full Redis must be
-- emptied, and moving messages takes no more than it gives back: so the first write here, as in the other scripts that
-- move messages, is one that takes none: a removal.

local queue, processing, consumers, retry, dead, crashes, dead_index, dead_letters, untold, paused = unpack(KEYS)
local consumer, lease, want, in_flight = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local reliable, solo_after, bytes_wanted = ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7])
local acks = tonumber(ARGV[8])
local others = #ARGV > 8 + acks
-- neither a message nor a consumer
local nothing = consumer .. ' '

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function refusal_of(done, command, key)
  if type(done) ~= 'table' or not done.err then return nil end
  -- a replica has written nothing of this: raised, so that the client looks for the master
  if string.find(done.err, 'READONLY', 1, true) then redis.call('ZREM', consumers, nothing) end
  return done.err .. ' (' .. command .. ' ' .. key .. ')'
end

local crashed = redis.call('EXISTS', crashes) == 1
local kept_alone, claim_refusal = 0, nil
local now = others and now_ms() or nil

if lease ~= 0 and reliable then
  local expiry = redis.call('ZSCORE', consumers, consumer)
  if expiry and tonumber(expiry) < 0 then return { 0, {}, {}, {}, 0, 0, '', 0 } end
  if lease > 0 or not expiry then
    now = now or now_ms()
    redis.pcall('ZREM', consumers, nothing)
    local done = redis.pcall('ZADD', consumers, string.format('%.0f', math.max(now + math.abs(lease), tonumber(expiry or 0) + 1)), consumer)
    if not expiry then claim_refusal = refusal_of(done, 'ZADD', consumers) end
  end
end
-- an acknowledgement is a removal itself
if not reliable or acks == 0 then redis.pcall('ZREM', consumers, nothing) end

local settled, lost, failed, skipped = 0, {}, {}, { 0, 0 }
local function note(kind, raw, refused, held)
  settled = settled + 1
  if refused then
    failed[#failed + 1] = settled
    failed[#failed + 1] = refused
  elseif not held then
    lost[#lost + 1] = settled
  elseif crashed and kind ~= 'hand-back' then
    redis.pcall('HDEL', crashes, redis.sha1hex(raw))
  end
end

local pcall = redis.pcall
for at = 9, 8 + acks do
  local removed = not reliable and 1 or pcall('LREM', processing, -1, ARGV[at])
  if removed == 1 and not crashed then settled = settled + 1
  else note('ack', ARGV[at], refusal_of(removed, 'LREM', processing), removed == 1) end
end

-- its functions are made only where there is something for them to do: 2 µs
local function settle_others()
  local unmovable = reliable and refusal_of(redis.pcall('LREM', processing, 0, nothing), 'LREM', processing)

  -- Redis before 6.0.6 has no LPOS, and a user may be forbidden it
  local function holds(raw)
    local at = redis.pcall('LPOS', processing, raw, 'RANK', -1)
    if type(at) ~= 'table' then return at and true or false end
    local index = -1
    while true do
      local entry = redis.pcall('LINDEX', processing, index)
      if type(entry) == 'table' then return false, refusal_of(entry, 'LINDEX', processing) end
      if not entry or entry == raw then return entry and true or false end
      index = index - 1
    end
  end

  local buried_at = 0
  -- In the order of burial, also of those that one run buries: a microsecond apart. Where the two new keys are refused, a
  -- user of an earlier version's ACL for one, the letter goes to that version's list, from which it is moved later. What
  -- is to be told is told a second from now, and replayed or purged by nobody before (untold/take.lua); where that key is
  -- refused, the burial stands all the same. Returns what Redis says of the letter, and what was skipped.
  local function bury(envelope, member, is_untold)
    local unique = string.match(member, '^%S*')
    local time = redis.call('TIME')
    buried_at = math.max(buried_at + 0.001, tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000)
    local done = redis.pcall('HSET', dead_letters, unique, envelope)
    local why = refusal_of(done, 'HSET', dead_letters)
    if not why then
      done = redis.pcall('ZADD', dead_index, string.format('%.3f', buried_at), member)
      why = refusal_of(done, 'ZADD', dead_index)
      if not why then
        if not is_untold then return done end
        local due = string.format('%.1f', math.floor(buried_at) + 1000.5)
        why = refusal_of(redis.pcall('ZADD', untold, due, member), 'ZADD', untold)
        return done, why and { 0, 1, why }
      end
      redis.pcall('HDEL', dead_letters, unique)
    end
    return redis.pcall('LPUSH', dead, envelope), { 1, is_untold and 1 or 0, why }
  end

  local function place(kind, raw, first, second)
    if kind == 'retry' then
      local due = string.format('%.0f', now + tonumber(second))
      return refusal_of(redis.pcall('ZADD', retry, due, first), 'ZADD', retry)
    elseif kind == 'bury' or kind == 'bury-untold' then
      local done, without = bury(first, second, kind == 'bury-untold')
      return refusal_of(done, 'LPUSH', dead), without
    end
    return refusal_of(redis.pcall('RPUSH', queue, raw), 'RPUSH', queue)
  end

  local function undo(kind, first, second)
    if kind == 'retry' then redis.pcall('ZREM', retry, first)
    elseif kind == 'hand-back' then redis.pcall('RPOP', queue)
    elseif redis.pcall('ZREM', dead_index, second) == 1 then
      redis.pcall('HDEL', dead_letters, string.match(second, '^%S*'))
      if kind == 'bury-untold' then redis.pcall('ZREM', untold, second) end
    else redis.pcall('LREM', dead, 1, first) end
  end

  -- one of a message that may have failed before: no new place, and what is kept of it goes
  local function acknowledge(raw, id)
    local removed = not reliable and 1 or redis.pcall('LREM', processing, -1, raw)
    if removed == 1 and forget_failures then forget_failures(id) end
    return refusal_of(removed, 'LREM', processing), removed == 1
  end

  -- what is kept of failed attempts once the claim has left: in plain mode a burial may be repeated, and finds them again
  local function note_failures(kind, id, line)
    if not keep_failure then return end
    if kind == 'retry' and line ~= '' then keep_failure(id, line) end
    if reliable and (kind == 'bury' or kind == 'bury-untold') then forget_failures(id) end
  end

  -- returns why it was refused, or nil, and whether the claim was there
  local function move(at)
    local kind, raw, first, second, id = unpack(ARGV, at, at + 4)
    if kind == 'ack' then return acknowledge(raw, id) end
    if unmovable then return unmovable, true end
    if reliable then
      local held, refused = holds(raw)
      if refused or not held then return refused, held end
    end
    if keep_failure and (kind == 'bury' or kind == 'bury-untold') then first = with_failures(failures, id, first) end
    local refused, without = place(kind, raw, first, second)
    if refused then return refused, true end
    local removed = not reliable and 1 or redis.pcall('LREM', processing, -1, raw)
    if removed == 1 then
      note_failures(kind, id, ARGV[at + 5])
      if without then skipped = { skipped[1] + without[1], skipped[2] + without[2], without[3] } end
      return nil, true
    end
    undo(kind, first, second)
    return refusal_of(removed, 'LREM', processing), false
  end

  for at = 9 + acks, #ARGV, keep_failure and 6 or 4 do note(ARGV[at], ARGV[at + 1], move(at)) end
  if not skipped_failures then return end
  local left_out, why = skipped_failures()
  if left_out > 0 then skipped = { skipped[1], skipped[2], skipped[3] or '', left_out, why } end
end
if others then settle_others() end

local function is_suspect(raw)
  if type(raw) ~= 'string' then return false end
  local count = redis.pcall('HGET', crashes, redis.sha1hex(raw))
  return type(count) == 'string' and (tonumber(count) or 0) >= solo_after
end

-- what is no string was not written by who pauses deliveries, and a user of an earlier version's ACL may not read it
local is_paused = redis.pcall('EXISTS', paused) == 1 and type(redis.pcall('GET', paused)) == 'string'
if is_paused then want = 0 end

local claims, bytes, count, most = {}, 0, 0, want
if take_tokens and want > 0 and not claim_refusal then most, claim_refusal = take_tokens(want) end
while not claim_refusal and count < most do
  local suspect = crashed and is_suspect(redis.pcall('LINDEX', queue, -1))
  if suspect and in_flight + count > 0 then break end
  local raw
  if reliable then raw = pcall('RPOPLPUSH', queue, processing) else raw = pcall('RPOP', queue) end
  if type(raw) ~= 'string' then
    claim_refusal = refusal_of(raw, reliable and 'RPOPLPUSH' or 'RPOP', queue)
    break
  end
  count = count + 1
  claims[count] = raw
  bytes = bytes + #raw
  if suspect then kept_alone = 1 end
  if suspect or bytes >= bytes_wanted then break end
end

return { 1, claims, lost, failed, kept_alone, crashed and 1 or 0, claim_refusal or '', is_paused and 1 or 0,
  end_of_claiming and end_of_claiming(count, want) or 0, skipped[3] and skipped or nil }
