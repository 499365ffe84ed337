// When a step of a span begins, in the zone that was asked for and as the browser's language writes it.
const step_time = (s, t) => {
  const day = {day: "numeric", month: "short"}, time = {timeStyle: "short"}
  const of = {minute: [time], hour: [day, time], day: [{weekday: "short", ...day}], week: [day], month: [{month: "short", year: "numeric"}]}
  return of[s.unit].map((part) => new Intl.DateTimeFormat(undefined, {...part, timeZone: s.tz}).format(t)).join(", ")
}
