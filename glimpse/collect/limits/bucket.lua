-- Lease tokens from one bucket: KEYS[1], a hash with how many it had and when, by the server's own clock.
-- ARGV: rate (tokens a second), capacity, least (fewer don't help who waits), most, few (to keep at hand in that case).
-- Returns how many it gave and how many are left, which is below 0 while a batch larger than the bucket is paid off.
local rate, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
local least, most, few = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = capacity
local was_set_back = false
if kept[1] then
  -- A clock that was set back refills nothing; from then on its new time counts, or it would not for an hour.
  tokens = math.min(capacity, kept[1] + math.max(0, now - kept[2]) * rate)
  was_set_back = now < tonumber(kept[2])
end
local given = math.max(0, math.min(most, math.floor(tokens)))
if given < least then
  -- More than a full bucket holds is given at once, or it never would be, and paid off before anything else.
  given = tokens >= capacity and least or math.min(given, few)
end
if given > 0 or was_set_back then
  tokens = tokens - given
  redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
  -- A bucket that has filled up again is the same as none.
  redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / rate * 1000) + 1000)
end
return {given, math.floor(tokens)}
