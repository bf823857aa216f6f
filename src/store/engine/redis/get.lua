-- The frames of entries from one moment. KEYS: the bucket of each; ARGV: its field.
local found = {}
for i, bucket in ipairs(KEYS) do
  found[i] = redis.call('HGET', bucket, ARGV[i])
end
return found
