// Says when the bar that is pointed at was.
const s = bars.tags[0]
return s.unit ? step_time(s, value) : value === 0 ? "this minute" : relative.format(-value, "minute")
