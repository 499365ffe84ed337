// What stands below a bar: how long ago it was, or when.
const s = bars.tags[0]
if (s.unit) {  // few words, for six of them to stand side by side on a phone
  const is_time = (s.unit === "minute" || s.unit === "hour") && s.starts.length <= (s.unit === "hour" ? 49 : Infinity)
  return step_time({...s, unit: is_time ? "minute" : s.unit === "month" ? "month" : "week"}, s.starts.at(Math.round(tick) - 1))
}
return tick > -0.5 ? "now" : in_unit(Math.round(tick), "minute")
