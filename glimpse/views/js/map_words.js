// Puts a number of the row that is pointed at into words, or its country into the browser's language.
const land = (code, name) => {
  try { return new Intl.DisplayNames(undefined, {type: "region"}).of(code) } catch { return name }  // what is no code
}
const ago = (s) => s < 2 ? "just now" : s < 60 ? `${Math.round(s)} s ago` : s < 3600 ? `${Math.floor(s / 60)} min ago` : s < 172800 ? `${Math.floor(s / 3600)} h ago` : `${Math.floor(s / 86400)} days ago`
const is_span = source.tags.includes("span")  // other than the live window
const people = (open, active) =>
  open === 0 ? "nobody here now" : `${open.toLocaleString()} session${open === 1 ? "" : "s"} here${open > active ? `, ${(open - active).toLocaleString()} of them idle` : ""}`
if (column === "country") return land(value, value || "unknown country")
if (column === "name") return land(source.data.code[special_vars.index], value)
if (column === "events") return `${value.toLocaleString()} event${value === 1 ? "" : "s"}${is_span ? "" : " in 30 min"}`
if (column === "heard") return value > 0 ? ago(Math.max(0, (Date.now() - (source._glimpse_skew ?? 0) - value) / 1000)) : ""
if (column === "places") return value > 1 ? `and ${(value - 1).toLocaleString()} more place${value > 2 ? "s" : ""} around` : ""
const active = source.data.active[special_vars.index]
if (is_span) return `${value.toLocaleString()} session${value === 1 ? "" : "s"}${active ? `, ${active.toLocaleString()} of them active now` : ""}`
return people(value, active)
