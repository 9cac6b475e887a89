-- What a value of the failures takes at most; what is larger was written by somebody else.
local longest_failures = 16384

-- The envelope of a dead letter with the last failed attempts of its message in it, before the message. They are encoded
-- anew: what somebody else wrote there must not break the letter. Slashes stay as they are: searches look for them.
local function with_failures(failures, id, envelope)
  local lines = redis.pcall('HGET', failures, id)
  if type(lines) ~= 'string' or #lines > longest_failures then return envelope end
  local is_read, list = pcall(cjson.decode, '[' .. string.gsub(lines, '\n', ',') .. ']')
  local is_made, text = pcall(cjson.encode, is_read and list or nil)
  local at = string.find(envelope, ',"message', 1, true)
  if not is_read or not is_made or #list == 0 or not at then return envelope end
  text = string.gsub(text, '\\/', '/')
  return string.sub(envelope, 1, at) .. '"failures":' .. text .. string.sub(envelope, at)
end
