// Puts a number of the row that is pointed at into words.
const ago = (s) => s < 2 ? "just now" : s < 60 ? `${Math.round(s)} s ago` : s < 3600 ? `${Math.floor(s / 60)} min ago` : `${Math.floor(s / 3600)} h ago`
const people = (open, active) =>
  open === 0 ? "nobody here now" : `${open.toLocaleString()} session${open === 1 ? "" : "s"} here${open > active ? `, ${(open - active).toLocaleString()} of them idle` : ""}`
if (column === "events") return value.toLocaleString()
if (column === "heard") return value > 0 ? ago(Math.max(0, (Date.now() - (source._glimpse_skew ?? 0) - value) / 1000)) : ""
if (column === "places") return value > 1 ? `and ${(value - 1).toLocaleString()} more place${value > 2 ? "s" : ""} around` : ""
return people(value, source.data.active[special_vars.index])
