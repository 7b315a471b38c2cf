// Runs against dist/, so that the compiled files are what is tested.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createApp } from '../dist/app.js';
import { convert } from '../dist/units.js';

let server;
let base;

before(async () => {
  await new Promise((resolve) => {
    server = createApp().listen(0, '127.0.0.1', resolve);
  });
  base = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  server.close();
  server.closeAllConnections();
});

test('convert goes both ways', () => {
  assert.equal(convert(1, 'mi', 'km'), 1.609344);
  assert.equal(convert(1.609344, 'km', 'mi'), 1);
});

test('GET /convert answers with the value and its unit', async () => {
  const res = await fetch(`${base}/convert?value=12&from=in&to=ft`);
  assert.deepEqual(await res.json(), { value: 1, unit: 'ft' });
});

test('GET /convert refuses what it does not know', async () => {
  for (const query of ['', '?value=1&from=m&to=parsec', '?value=one&from=m&to=km', '?value=1&from=constructor&to=m']) {
    const res = await fetch(`${base}/convert${query}`);
    assert.equal(res.status, 400, query);
  }
});
