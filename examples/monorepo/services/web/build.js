// Makes the folder dist: the page with its version, and the script that it loads.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

mkdirSync('dist', { recursive: true })
const page = readFileSync('src/index.html', 'utf8')
writeFileSync('dist/index.html', page.replace('{{version}}', process.env.VERSION ?? 'unknown'))
for (const script of ['main.js', 'clock.js']) cpSync(`src/${script}`, `dist/${script}`)
