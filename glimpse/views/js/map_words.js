// Puts a number of the row that is pointed at into words, or its country into the browser's language.
const land = (code, name) => {
  try { return new Intl.DisplayNames(undefined, {type: "region"}).of(code) } catch { return name }  // what is no code
}
const is_span = source.tags.includes("span")  // other than the live window
const people = (open, active) =>
  open === 0 ? "nobody here now" : `${open.toLocaleString()} session${open === 1 ? "" : "s"} here${open > active ? `, ${(open - active).toLocaleString()} of them idle` : ""}`
if (column === "country") return land(value, value || "unknown country")
if (column === "name") return land(source.data.code[special_vars.index], value)
if (column === "events") return `${value.toLocaleString()} event${value === 1 ? "" : "s"}${is_span ? "" : ` in ${in_unit(30, "minute")}`}`
if (column === "heard") return value > 0 ? ago(Math.max(0, (Date.now() - (source._glimpse_skew ?? 0) - value) / 1000)) : ""
if (column === "places") return value > 1 ? `and ${(value - 1).toLocaleString()} more place${value > 2 ? "s" : ""} around` : ""
const active = source.data.active[special_vars.index]
if (is_span) return `${value.toLocaleString()} session${value === 1 ? "" : "s"}${active ? `, ${active.toLocaleString()} of them active now` : ""}`
return people(value, active)
