-- All of a batch or nothing. Every check stands before the first write: Redis takes nothing back.
-- What it takes away it takes away last: in a slot that just moves to another server, a key that has
-- become empty is gone for good, and a step that names it again would fail in the middle.
-- KEYS[1]: counters; KEYS[2]: names of what exists; the rest is named by the steps, by its place.
-- ARGV: who writes, the number of conditions, the conditions, the steps, each with its arguments.
local counters, names, at = KEYS[1], KEYS[2], 3

local function arg()
  at = at + 1
  return ARGV[at - 1]
end

local function version(bucket, field)
  local frame = redis.call('HGET', bucket, field)
  if not frame then return 0 end
  if #frame < 12 then return -1 end
  local held, check = struct.unpack('>I8I4', frame)
  return held % CHECK == check and held or -1
end

-- Versions rise with the time of day, so that one given out by a server that was lost is not given
-- again by the one in its place.
local now = redis.call('TIME')
local last = math.max(total(counters, '\0version'), tonumber(now[1]) * 1000000 + tonumber(now[2]))

local fences = {}
for place = 0, tonumber(ARGV[2]) - 1 do
  local kind = arg()
  local holds
  if kind == 'version' then
    local bucket, field, wanted = KEYS[tonumber(arg())], arg(), tonumber(arg())
    holds = version(bucket, field) == wanted
  else
    local role, epoch = arg(), tonumber(arg())
    holds = total(counters, role) <= epoch
    fences[role] = epoch
  end
  if not holds then
    -- A wait for other servers answers for a write only; what this was refused for is to be theirs too.
    set_total(counters, '\0version', last)
    return {1, place}
  end
end
for role, epoch in pairs(fences) do set_total(counters, role, epoch) end

local numbers, step, gone = {0}, {}, {}

-- What a step takes away, unless a later one brings it again.
local function leaves(kind, key, name, how)
  gone[kind .. #key .. ':' .. key .. name] = how
end

function step.put()
  local bucket, field = KEYS[tonumber(arg())], arg()
  leaves('e', bucket, field, nil)
  last = last + 1
  redis.call('HSET', bucket, field, struct.pack('>I8I4', last, last % CHECK) .. arg())
end

function step.delete()
  local bucket, field = KEYS[tonumber(arg())], arg()
  leaves('e', bucket, field, function() redis.call('HDEL', bucket, field) end)
end

function step.rank()
  local index, places, member = KEYS[tonumber(arg())], KEYS[tonumber(arg())], arg()
  local place, name = arg(), arg()
  local before = redis.call('HGET', places, member)
  local score = string.sub(place, 1, 8)
  leaves('i', index, member, nil)
  redis.call('ZADD', index, 0, score .. member)
  redis.call('HSET', places, member, place)
  if before and string.sub(before, 1, 8) ~= score then
    redis.call('ZREM', index, string.sub(before, 1, 8) .. member)
  end
  redis.call('SADD', names, name)
end

function step.unrank()
  local index, places, member = KEYS[tonumber(arg())], KEYS[tonumber(arg())], arg()
  leaves('i', index, member, function()
    local before = redis.call('HGET', places, member)
    if before then
      redis.call('ZREM', index, string.sub(before, 1, 8) .. member)
      redis.call('HDEL', places, member)
    end
  end)
end

function step.append()
  local log, name = KEYS[tonumber(arg())], arg()
  local position = tail(log) + 1
  local fields = {}
  for i = 1, tonumber(arg()) do fields[i] = arg() end
  redis.call('XADD', log, string.format('%.0f-0', position), unpack(fields))
  redis.call('SADD', names, name)
  numbers[#numbers + 1] = position
end

-- What a group was not given, or has not acknowledged, stays however old it is.
function step.trim()
  local log, first = KEYS[tonumber(arg())], tonumber(arg())
  if redis.call('EXISTS', log) == 0 then return end
  for _, about in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    local group = {}
    for i = 1, #about, 2 do group[about[i]] = about[i + 1] end
    first = math.min(first, tonumber(string.match(group['last-delivered-id'], '^%d+')) + 1)
    local pending = redis.call('XPENDING', log, group.name)
    if pending[2] then first = math.min(first, tonumber(string.match(pending[2], '^%d+'))) end
  end
  redis.call('XTRIM', log, 'MINID', string.format('%.0f-0', first))
end

function step.add()
  local name, amount = arg(), tonumber(arg())
  numbers[#numbers + 1] = set_total(counters, name, total(counters, name) + amount)
end

function step.wake()
  redis.call('PUBLISH', arg(), ARGV[1])
end

while at <= #ARGV do
  step[arg()]()
end
for _, leave in pairs(gone) do leave() end
set_total(counters, '\0version', last)
return numbers
