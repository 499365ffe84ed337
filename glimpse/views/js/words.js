// How numbers and countries are said, and mistakes. Numbers are written and countries called as in the browser's language.
const regions = new Intl.DisplayNames(undefined, {type: "region"})
const country_name = (code) => {
  try { return code ? regions.of(code) : null } catch { return code }  // what is no code stays what it is
}
const number = (n, digits = 0) => n.toLocaleString(undefined, {maximumFractionDigits: digits})
const to_digits = (n, digits) => n.toLocaleString(undefined, {minimumFractionDigits: digits, maximumFractionDigits: digits})
const plural = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`
// By how much a number has changed: parts of it, or points of a rate.
const changed = (by, unit) => {
  const n = Math.round(by * 100), much = number(Math.abs(n))
  if (unit === "points") return `${n > 0 ? "+" : n < 0 ? "−" : "±"}${much} ${much === "1" ? "point" : "points"}`
  return n === 0 ? "±0%" : `${n > 0 ? "▲" : "▼"} ${much}%`
}
// A mistake in a condition, without the list of all fields there are.
const without_fields = (problem) => problem.replace(/(\?|;|:)? fields (of sessions )?are .*$/s, (_, mark) => mark === "?" ? "?" : "")
