-- A member of the retries is `<unique> <encoded message id> <interval in ms>:<message>`, without the interval in earlier
-- builds: two byte-identical messages stay two, and the head names the message for the log without sending it back. The
-- unique is 12 hexadecimal digits and a number. A member without such a head is not ours.

-- where the head ends, and the interval in it; nil = not ours
local ours = '^' .. string.rep('%x', 12) .. "%w+ [%w_.!~*'()%%-]+"
local function head_of(member)
  local colon = string.find(string.sub(member, 1, 4096), ':', 1, true)
  if not colon then return nil end
  local head = string.sub(member, 1, colon - 1)
  local interval = string.match(head, ours .. ' (%d+)$')
  if interval or string.find(head, ours .. '$') then return colon, tonumber(interval) end
end

-- by how many ms steps back of Redis's clock put off a retry that began to wait then: two arguments a step, the oldest first,
-- the time before which it began, and the ms by which that step and those after it do (domain/clocks/steps-back.ts)
local function put_off_by(begun, first_argument)
  for at = first_argument, #ARGV, 2 do
    if begun < tonumber(ARGV[at]) then return tonumber(ARGV[at + 1]) end
  end
  return 0
end
