-- Takes all tokens of a bucket or none. KEYS: the bucket; ARGV: tokens a second, most that it
-- holds, how many are wanted, now in ms. Gives 0, or after how many µs there are enough.
local per_s, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local wanted, now = tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(held[1]) or burst, tonumber(held[2]) or now
-- A clock that is a minute further back was set back: it is not waited for.
if at - now > 60000 then at = now end
tokens = math.min(burst, tokens + math.max(0, now - at) / 1000 * per_s)
local wait = 0
if tokens >= wanted then
  tokens = tokens - wanted
else
  wait = math.ceil((wanted - tokens) / per_s * 1000000)
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens),
  'at', string.format('%.0f', math.max(at, now)))
-- A bucket that is full again is the same as none.
redis.call('PEXPIRE', KEYS[1], math.min(86400000, math.ceil(burst / per_s * 1000) + 3600000))
return wait
