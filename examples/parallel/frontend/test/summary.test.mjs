import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summary } from '../build/summary.js';

test('several dice are added up', () => {
  assert.equal(summary({ dice: '3d6', rolls: [1, 2, 6] }), '3d6: 1 + 2 + 6 = 9');
});

test('a single one needs no sum', () => {
  assert.equal(summary({ dice: '1d20', rolls: [17] }), '1d20: 17');
});
