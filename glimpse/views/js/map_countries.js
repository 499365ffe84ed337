// Cuts the countries out of all land, the first time that they are shown; and writes who is in each.
// They are painted anew, land and all, only when one has taken another shade: numbers are looked up by the pointer.
const {data} = countries
const is_first = data.xs.length === 0
if (is_first) {
  // Bokeh's arrays are a class of their own, whose `subarray` is the whole array.
  const [xs, ys] = [flat.data.xs[0], flat.data.ys[0]].map((a) => new Float32Array(a.buffer, a.byteOffset, a.length))
  for (let i = 0; i < names.length; i++) {
    data.xs.push(xs.subarray(starts[i], starts[i + 1]))
    data.ys.push(ys.subarray(starts[i], starts[i + 1]))
  }
  Object.assign(data, {name: names, code: codes})
}
const {shade, ...numbers} = shades.data
const is_as_before = !is_first && data.shade.length === shade.length && data.shade.every((s, i) => s === shade[i])
Object.assign(data, {shade: Array.from(shade)})
for (const [name, values] of Object.entries(numbers)) data[name] = Array.from(values)
if (!is_as_before) countries.change.emit()
