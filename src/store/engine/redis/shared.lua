-- What several scripts begin with: totals, and where a log has come to.
local CHECK, MOST = 4294967291, 9007199254740991

-- A counter says its total twice, the second time by its rest; one that does not add up is none.
local function total(counters, name)
  local held = redis.call('HGET', counters, name)
  if not held then return 0 end
  local sum, check = string.match(held, '^(-?%d+) (%d+)$')
  sum = tonumber(sum)
  return sum and sum % CHECK == tonumber(check) and sum or 0
end

local function set_total(counters, name, sum)
  sum = math.max(-MOST, math.min(MOST, sum))
  redis.call('HSET', counters, name, string.format('%.0f %.0f', sum, sum % CHECK))
  return sum
end

local function tail(log)
  if redis.call('EXISTS', log) == 0 then return 0 end
  local about = redis.call('XINFO', 'STREAM', log)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then
      return tonumber(string.match(about[i + 1], '^%d+'))
    end
  end
end

