// A timetable as the importer writes it, with the departures of each station, earliest first.
export class Timetable {
  constructor({ version, stations }) {
    if (!stations || Object.keys(stations).length === 0) throw new Error('there is no station')
    this.version = version
    this.stations = stations
  }

  // What leaves a station at a time such as 08:10 or later; undefined where there is no such station.
  after(station, time = '') {
    if (!Object.hasOwn(this.stations, station)) return undefined
    return this.stations[station].filter((departure) => departure.time >= time)
  }
}
