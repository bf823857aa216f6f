-- Entries of an index in order, each with its place as it was written.
-- KEYS: index, places; ARGV: from, to, how many.
local found = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local rows = {}
for i, ranked in ipairs(found) do
  rows[2 * i - 1] = ranked
  rows[2 * i] = redis.call('HGET', KEYS[2], string.sub(ranked, 9))
end
return rows
