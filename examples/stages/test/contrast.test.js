import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contrast, parseColor } from '../src/contrast.js';

test('black on white is the maximum, a colour on itself the minimum', () => {
  assert.equal(contrast('#000', '#ffffff'), 21);
  assert.equal(contrast('369', '336699'), 1);
});

test('the order of the colours does not matter', () => {
  assert.equal(contrast('777', 'fff'), contrast('fff', '777'));
  assert.equal(contrast('777', 'fff'), 4.48);
});

test('what is no colour is refused', () => {
  for (const text of ['', '12', 'blue', '#12345', '1234567']) {
    assert.throws(() => parseColor(text), RangeError, text);
  }
});
