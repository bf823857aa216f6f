-- Moves entries of an index that are still where they were seen. KEYS: index, places; ARGV: for
-- each its member, its place as it was seen, its new place. Gives 1 for each that was moved.
local moved = {}
for i = 1, #ARGV, 3 do
  local member, seen, to = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if redis.call('HGET', KEYS[2], member) == seen then
    -- First the new row: in a slot that moves, an index that has become empty is gone for good.
    redis.call('ZADD', KEYS[1], 0, string.sub(to, 1, 8) .. member)
    if string.sub(seen, 1, 8) ~= string.sub(to, 1, 8) then
      redis.call('ZREM', KEYS[1], string.sub(seen, 1, 8) .. member)
    end
    redis.call('HSET', KEYS[2], member, to)
    moved[#moved + 1] = 1
  else
    moved[#moved + 1] = 0
  end
end
return moved
