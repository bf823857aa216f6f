-- Everything of a partition from one moment, as Redis writes it down. KEYS: names of what exists,
-- how many there were when the keys were listed in ARGV[1], then the keys.
if redis.call('SCARD', KEYS[1]) ~= tonumber(ARGV[1]) then return false end
local found = {}
for i = 1, #KEYS do
  local written = redis.call('DUMP', KEYS[i])
  if written then
    found[#found + 1] = KEYS[i]
    found[#found + 1] = written
  end
end
return found
