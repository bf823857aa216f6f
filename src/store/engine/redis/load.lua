-- Sets what is given, whatever is there. KEYS[1]: counters; KEYS[2]: names of what exists; the rest
-- is named by the steps, by its place. ARGV: the steps, each with its arguments.
local counters, names, at = KEYS[1], KEYS[2], 1

local function arg()
  at = at + 1
  return ARGV[at - 1]
end

local now = redis.call('TIME')
local last = math.max(total(counters, '\0version'), tonumber(now[1]) * 1000000 + tonumber(now[2]))

local step = {}

function step.put()
  local bucket, field = KEYS[tonumber(arg())], arg()
  last = last + 1
  redis.call('HSET', bucket, field, struct.pack('>I8I4', last, last % CHECK) .. arg())
end

function step.rank()
  local index, places, member = KEYS[tonumber(arg())], KEYS[tonumber(arg())], arg()
  local place, name = arg(), arg()
  local before, score = redis.call('HGET', places, member), string.sub(place, 1, 8)
  -- First the new row: in a slot that moves, an index that has become empty is gone for good.
  redis.call('ZADD', index, 0, score .. member)
  if before and string.sub(before, 1, 8) ~= score then
    redis.call('ZREM', index, string.sub(before, 1, 8) .. member)
  end
  redis.call('HSET', places, member, place)
  redis.call('SADD', names, name)
end

-- One that is behind the log's end already was set before.
function step.log()
  local log, name, position, fields = KEYS[tonumber(arg())], arg(), tonumber(arg()), {}
  for i = 1, tonumber(arg()) do fields[i] = arg() end
  if position > tail(log) then
    redis.call('XADD', log, string.format('%.0f-0', position), unpack(fields))
  end
  redis.call('SADD', names, name)
end

function step.tail()
  local log, name, position = KEYS[tonumber(arg())], arg(), tonumber(arg())
  if position > tail(log) then
    local id = string.format('%.0f-0', position)
    redis.call('XADD', log, id, 'v', '')
    redis.call('XDEL', log, id)
  end
  redis.call('SADD', names, name)
end

function step.total()
  local name, sum = arg(), tonumber(arg())
  set_total(counters, name, sum)
end

function step.epoch()
  local name, sum = arg(), tonumber(arg())
  set_total(counters, name, math.max(total(counters, name), sum))
end

while at <= #ARGV do
  step[arg()]()
end
set_total(counters, '\0version', last)
return 1
