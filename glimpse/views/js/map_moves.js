// Writes where dots stand now, and how they are called, into their columns. They are drawn with the pulse, which comes after.
const {row, ...columns} = moves.data
for (const [name, values] of Object.entries(columns)) {
  const column = dots.data[name]
  for (let i = 0; i < row.length; i++) column[row[i]] = values[i]
}
dots._glimpse_moved = true
