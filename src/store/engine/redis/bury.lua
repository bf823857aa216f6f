-- Moves entries that a group cannot deal with to another log, if they still are such.
-- KEYS: the log, the other log, names of what exists. ARGV: the other log's name, the idle time in
-- ms, the most deliveries; then for each its group, its id, how many fields and values follow, and
-- those. Without any, the entry is gone and only taken off the group's list.
local log, dead, names = KEYS[1], KEYS[2], KEYS[3]
local idle, most, at = ARGV[2], tonumber(ARGV[3]), 4
local moved = {}

while at <= #ARGV do
  local group, id, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local fields = {}
  for i = 1, count do fields[i] = ARGV[at + 2 + i] end
  at = at + 3 + count
  local found = redis.pcall('XPENDING', log, group, 'IDLE', idle, id, id, 1)
  local due = not found.err and found[1] and tonumber(found[1][4]) > most
  if due then
    if count > 0 then
      redis.call('XADD', dead, string.format('%.0f-0', tail(dead) + 1), unpack(fields))
      redis.call('SADD', names, ARGV[1])
    end
    redis.call('XACK', log, group, id)
  end
  moved[#moved + 1] = due and 1 or 0
end
return moved
