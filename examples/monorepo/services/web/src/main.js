import { clock, remaining } from './clock.js'

const station = document.getElementById('station')
const list = document.getElementById('departures')

async function show() {
  const now = clock(new Date())
  const answer = await fetch(`api/departures?station=${encodeURIComponent(station.value)}&after=${now}`)
  list.replaceChildren(...(await answer.json()).map(({ time, to }) => {
    const line = document.createElement('li')
    line.textContent = `${time} ${to}, in ${remaining(now, time)} minutes`
    return line
  }))
}

station.addEventListener('change', show)
show()
