// What charts over time have in common: shapes of SVG, round numbers, and times in the zone that was asked for.
const SVG = "http://www.w3.org/2000/svg"
const shape = (tag, attributes, text) => {
  const el = document.createElementNS(SVG, tag)
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value)
  if (text != null) el.textContent = text
  return el
}
// The least round number that is not below another, and whose half is whole too: a line is drawn there.
const nice = (most) => {
  if (most <= 1) return 1
  const unit = 10 ** Math.floor(Math.log10(most))
  const tops = [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].map((step) => Math.round(unit * step))
  return tops.find((top) => top >= most && top % 2 === 0)
}
const in_zone = (s, t, options) => new Intl.DateTimeFormat(undefined, {...options, timeZone: s.tz}).format(t)
const time_of = (s, t) => in_zone(s, t, {timeStyle: "short"})
const moment = (s, t) => s.unit === "minute" || s.unit === "hour" ? `${in_zone(s, t, {weekday: "short"})} ${time_of(s, t)}`
  : in_zone(s, t, {day: "numeric", month: "short", year: "numeric"})
const tick = (s, t) => s.until - s.since <= 2 * 86400000 ? time_of(s, t) : in_zone(s, t, {day: "numeric", month: "short"})
// The names of some times below a chart, as many as fit.
const ticks = (s, times, x, width, y) => {
  const every = Math.max(1, Math.ceil(times.length / Math.max(2, Math.floor(width / 110))))
  const all = []
  for (let i = Math.floor(every / 2); i < times.length; i += every) all.push(shape("text", {x: x(i), y, class: "label", "text-anchor": "middle"}, tick(s, times[i])))
  return all
}
// What a line or bars say, in words: all together, the most and when, the last.
const summed = (s, name, steps) => {
  if (!steps.length) return `${name} over time: none`
  const most = steps.reduce((best, step) => step[1] > best[1] ? step : best)
  const whole = steps.reduce((sum, step) => sum + step[1], 0)
  const told = [`${name} over time, by ${s.unit}`, `${moment(s, s.since)} to ${moment(s, s.until)}`]
  return whole ? `${told.join(", ")}: most ${most[1].toLocaleString()}, ${moment(s, most[0])}; last ${steps.at(-1)[1].toLocaleString()}` : `${told.join(", ")}: none`
}
