-- Looks at some of the messages of which failed attempts are kept, and forgets those whose last one is too old: Python
-- workers and earlier builds deliver them and forget nothing.
--
-- KEYS 1 failures
-- ARGV 1 cursor of HSCAN  2 messages to look at  3 the time, as in the lines, before which the last one is too old
-- Returns {next cursor, messages forgotten}
--
-- What is not written as our lines are is forgotten as well: nobody could read it.

local failures, too_old = KEYS[1], ARGV[3]
redis.call('HDEL', failures, '')
local page = redis.call('HSCAN', failures, ARGV[1], 'COUNT', ARGV[2])

local forgotten = 0
for at = 1, #page[2], 2 do
  -- from the end, and from one beginning only: otherwise 200 characters of an answer take up to 1 ms each time
  local last = string.match(page[2][at + 1], '^.*\n(.*)') or page[2][at + 1]
  local time = string.match(last, '^{"at":"(%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ)"')
  if not time or time < too_old then forgotten = forgotten + redis.call('HDEL', failures, page[2][at]) end
end
return { page[1], forgotten }
