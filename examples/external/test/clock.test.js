import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeIn } from '../clock.js';

const noon = new Date('2024-01-15T12:00:00Z');

test('zones differ by their offset', () => {
  assert.equal(timeIn('UTC', noon), '12:00');
  assert.equal(timeIn('Asia/Kolkata', noon), '17:30');
});

test('an unknown zone has no time', () => {
  assert.equal(timeIn('Atlantis/Centre', noon), undefined);
});
