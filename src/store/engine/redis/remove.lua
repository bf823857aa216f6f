-- Removes what is still as it was seen. KEYS[1]: where a copy goes, KEYS[2..]: where things are.
-- ARGV[1]: 1 where a copy is kept; then for each its kind, its place in KEYS, and what it is.
local KEPT = 1000 -- values set aside, the latest
local keep, at, removed = ARGV[1] == '1', 2, 0

local function aside(kind, name, frame)
  if keep then
    redis.call('RPUSH', KEYS[1], cmsgpack.pack({kind, name, frame}))
    redis.call('LTRIM', KEYS[1], -KEPT, -1)
  end
  removed = removed + 1
end

while at <= #ARGV do
  local kind, key = ARGV[at], KEYS[tonumber(ARGV[at + 1])]
  local name, seen = ARGV[at + 2], ARGV[at + 3]
  if kind == 'entry' then
    if redis.call('HGET', key, name) == seen then
      aside(kind, name, seen)
      redis.call('HDEL', key, name)
    end
    at = at + 4
  elseif kind == 'log' then
    local found = redis.call('XRANGE', key, name, name)
    if found[1] then
      aside(kind, name, cmsgpack.pack(found[1][2]))
      redis.call('XDEL', key, name)
    end
    at = at + 3
  else
    -- An index: its member with the place before it, what the place said. An empty one was none.
    local places, member = KEYS[tonumber(ARGV[at + 4])], string.sub(name, 9)
    local held = redis.call('HGET', places, member)
    if (held or '') == seen and redis.call('ZSCORE', key, name) then
      aside(kind, name, seen)
      if ARGV[at + 5] == '1' then
        redis.call('ZADD', key, 0, string.sub(seen, 1, 8) .. member)
      else
        redis.call('HDEL', places, member)
      end
      redis.call('ZREM', key, name)
    end
    at = at + 6
  end
end
return removed
