-- Before exchange.lua, after letter-failures.lua, where a settlement says something of failed attempts. They are a side
-- book: whatever is refused here is counted, said and left out, and the settlements stand.
--
-- The last two of KEYS: the failures, a string key of theirs that may be missing. The last three of ARGV: how many lines
-- there are to keep, most entries, most bytes (0 = there is no room for more side books). Each settlement that is no
-- acknowledgement of a first attempt has two arguments more: the message's id, and the line to keep or "".
--
-- From three quarters of the most on lines are kept without their answers, which they end with; from the most on no
-- message is added, and a new line takes the place of an old one.

local swept, failures = table.remove(KEYS), table.remove(KEYS)
local most_bytes, most_entries, lines = tonumber(table.remove(ARGV)), tonumber(table.remove(ARGV)), tonumber(table.remove(ARGV))
local most_lines, typical_bytes, answered_share = 5, 600, 0.75
local left_out, left_out_why, has_answers, is_full = 0, nil, true, false

local function note_refused(done, command)
  if type(done) ~= 'table' or not done.err then return false end
  left_out_why = done.err .. ' (' .. command .. ' ' .. failures .. ')'
  return true
end

local function look_for_room()
  -- Changes nothing, and is the first write of the script: a full Redis refuses this one only (see exchange.lua).
  if note_refused(redis.pcall('SETRANGE', swept, 0, ''), 'SETRANGE') then return end
  if most_bytes == 0 then
    left_out_why = 'the side books are full (REDIS_SIDE_BOOKS_MAX)'
    return
  end
  local entries = redis.pcall('HLEN', failures)
  if note_refused(entries, 'HLEN') then return end
  -- of the first 20 entries: some µs
  local bytes = redis.pcall('MEMORY', 'USAGE', failures, 'SAMPLES', 20)
  if type(bytes) ~= 'number' then bytes = entries * typical_bytes end
  local share = math.max(entries / most_entries, bytes / most_bytes)
  has_answers, is_full = share < answered_share, share >= 1
end
if lines > 0 then look_for_room() end

local function without_first(old)
  local at = string.find(old, '\n', 1, true)
  return at and string.sub(old, at + 1) or nil
end

local function appended(old, line)
  if not old or #old > longest_failures then return line end
  local _, ends = string.gsub(old, '\n', '\n')
  if is_full or ends + 1 >= most_lines then old = without_first(old) end
  return old and old .. '\n' .. line or line
end

local function keep_failure(id, line)
  local old = not left_out_why and redis.pcall('HGET', failures, id)
  if left_out_why or note_refused(old, 'HGET') then
    left_out = left_out + 1
    return
  end
  local answer = not has_answers and string.find(line, ',"answer":"', 1, true)
  if answer then line = string.sub(line, 1, answer - 1) .. '}' end
  if is_full and not old then
    left_out = left_out + 1
    return
  end
  -- without a safety copy a settlement whose reply was lost is repeated
  if old and string.sub(old, -#line) == line then return end
  if note_refused(redis.pcall('HSET', failures, id, appended(old, line)), 'HSET') then left_out = left_out + 1 end
end

local function forget_failures(id)
  redis.pcall('HDEL', failures, id)
end

-- How many lines were left out, and why; nothing when none was.
local function skipped_failures()
  if left_out == 0 then return 0, '' end
  return left_out, left_out_why or 'there are too many failed messages'
end
