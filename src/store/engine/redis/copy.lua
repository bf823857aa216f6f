-- Everything of a partition from one moment, beside itself, for a while. KEYS: names of what exists,
-- a sign that the copy is there, then each key and where its copy goes. ARGV: how many names there
-- were when the keys were listed, how long the copy stays in ms.
if redis.call('SCARD', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], 1, 'PX', ARGV[2])
for i = 3, #KEYS, 2 do
  if redis.call('COPY', KEYS[i], KEYS[i + 1], 'REPLACE') == 1 then
    redis.call('PEXPIRE', KEYS[i + 1], ARGV[2])
  end
end
return 1
