import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Timetable } from '../departures.js'

const table = new Timetable({
  version: '1',
  stations: { Harbour: [{ time: '08:10', to: 'Hill' }, { time: '09:40', to: 'Mill' }] },
})

test('departures after a time of day', () => {
  for (const [time, count] of [['', 2], ['08:10', 2], ['08:11', 1], ['09:41', 0]]) {
    assert.equal(table.after('Harbour', time).length, count, time)
  }
})

test('there are no trains from the moon', () => {
  assert.equal(table.after('Moon'), undefined)
  assert.equal(table.after('toString'), undefined)
})

test('a timetable has a station', () => {
  assert.throws(() => new Timetable({}))
})
