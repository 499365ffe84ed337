// A Web Vital as it is written: a length of time, or, of the layout's shift, a number.
const written = (metric, value) => metric === "CLS" ? value.toLocaleString(undefined, {maximumFractionDigits: 3})
  : value >= 1000 ? in_unit(value / 1000, "second", 2) : in_unit(Math.round(value), "millisecond")
