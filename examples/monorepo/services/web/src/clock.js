// Times of day as the API has them: 08:10.

export function clock(date) {
  return [date.getHours(), date.getMinutes()].map((n) => String(n).padStart(2, '0')).join(':')
}

// Minutes from one time of a day to a later one.
export function remaining(from, to) {
  const [a, b] = [from, to].map((t) => t.split(':').map(Number)).map(([h, m]) => 60 * h + m)
  return b - a
}
