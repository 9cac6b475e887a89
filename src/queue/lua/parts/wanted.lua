-- Which messages a walk may mean, told by their bytes: what cannot be meant is neither copied nor sent. What may be meant is
-- looked at once more by who asked, as JSON.
--
-- Arguments from `first` on: 1 what the message id begins with  2 client_id  3 domain  4 a text that stands in the message,
--      each "" = any  5 queued at this time or later  6 or earlier: digits of year to second in UTC, "" = any
--      7... message ids; none = any
--
-- A JSON text that holds no backslash writes every name and every text as it is. In one that does, what a backslash is in
-- may be meant.

local find, match = string.find, string.match

-- whether a member of this name may have a text that is meant, wherever it stands: it may be nested, or there twice
local function may_have(raw, from, key, is_meant)
  local at = find(raw, key, from, true)
  if not at then return find(raw, '\\', from, true) ~= nil end
  while at do
    local text, ending = match(raw, '^%s*:%s*"([^"\\]*)(.)', at + #key)
    if text and (ending == '\\' or is_meant(text)) then return true end
    at = find(raw, key, at + #key, true)
  end
  return false
end

local function equals(wanted)
  return function(text) return text == wanted end
end

-- a time that is not plainly one in UTC is read by who asked
local function is_between(earliest, latest)
  return function(text)
    local y, m, d, h, min, s, zone = match(text, '^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)[.,%d]*(.*)$')
    if not y or (zone ~= '' and zone ~= 'Z' and zone ~= '+00:00') then return true end
    local digits = tonumber(y .. m .. d .. h .. min .. s)
    return (not earliest or digits >= earliest) and (not latest or digits <= latest)
  end
end

local function wanted_by(first)
  local prefix, client, domain, text = unpack(ARGV, first, first + 3)
  local earliest, latest = tonumber(ARGV[first + 4]), tonumber(ARGV[first + 5])
  local ids
  for at = first + 6, #ARGV do
    ids = ids or {}
    ids[ARGV[at]] = true
  end
  local checks = {}
  local function must_have(name, is_meant) checks[#checks + 1] = { '"' .. name .. '"', is_meant } end
  if ids then must_have('message_id', function(id) return ids[id] end) end
  if prefix ~= '' then must_have('message_id', function(id) return string.sub(id, 1, #prefix) == prefix end) end
  if client ~= '' then must_have('client_id', equals(client)) end
  if domain ~= '' then must_have('domain', equals(domain)) end
  if earliest or latest then must_have('queued_at', is_between(earliest, latest)) end
  return function(raw, from)
    if text ~= '' and not find(raw, text, from, true) then return false end
    for at = 1, #checks do
      if not may_have(raw, from, checks[at][1], checks[at][2]) then return false end
    end
    return true
  end
end
