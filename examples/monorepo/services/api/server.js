// Answers questions about a timetable, and serves the pages that ask them:
//   node server.js TIMETABLE PAGES
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { Timetable } from './departures.js'
import { version } from './version.js'

const [timetablePath, pages] = process.argv.slice(2)
const timetable = new Timetable(JSON.parse(readFileSync(timetablePath, 'utf8')))
const types = { '.html': 'text/html', '.js': 'text/javascript' }

createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost')
  const json = (status, value) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value) + '\n')
  }
  if (url.pathname === '/api/version') return json(200, { api: version, timetable: timetable.version })
  if (url.pathname === '/api/departures') {
    const station = url.searchParams.get('station')
    const found = timetable.after(station, url.searchParams.get('after') ?? '')
    return found ? json(200, found) : json(404, { error: `no station ${station}` })
  }
  // normalize leaves no way out of the folder.
  const file = normalize(url.pathname === '/' ? '/index.html' : url.pathname)
  try {
    const page = await readFile(join(pages, file))
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'text/plain' }).end(page)
  } catch {
    response.writeHead(404).end('not found\n')
  }
}).listen(8080, () => console.log(`version ${version} listens on port 8080`))

process.on('SIGTERM', () => process.exit(0))
