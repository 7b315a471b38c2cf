import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clock, remaining } from '../src/clock.js'

test('a clock has four digits', () => {
  assert.equal(clock(new Date(2024, 5, 1, 8, 5)), '08:05')
})

test('minutes that remain', () => {
  assert.equal(remaining('08:55', '09:10'), 15)
  assert.equal(remaining('23:59', '23:59'), 0)
})
