// Writes what has changed into the dots' columns. They are drawn with the arrivals, which come after.
const {row, ...columns} = changes.data
for (const [name, values] of Object.entries(columns)) {
  const column = dots.data[name]
  for (let i = 0; i < row.length; i++) column[row[i]] = values[i]
}
