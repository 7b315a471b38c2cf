// Looks for spaces at the ends of lines, and files that do not end with a line break.
const { readdirSync, readFileSync } = require('node:fs')
const { join } = require('node:path')

const files = readdirSync('.', { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
let bad = 0
for (const { parentPath, path, name } of files) {
  const file = join(parentPath ?? path, name)
  const lines = readFileSync(file, 'utf8').split('\n')
  lines.forEach((line, i) => {
    if (line.endsWith(' ') || (i === lines.length - 1 && line !== '')) {
      console.log(`${file}:${i + 1}: the line does not end well`)
      bad++
    }
  })
}
console.log(`style: ${files.length} files, ${bad} lines to mend`)
process.exit(bad > 0 ? 1 : 0)
