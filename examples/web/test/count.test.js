import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, readingTime } from '../src/count.js';

test('an empty text has nothing', () => {
  assert.deepEqual(count(' \n'), { words: 0, sentences: 0, paragraphs: 0 });
});

test('hyphens and apostrophes do not split a word', () => {
  assert.equal(count("The well-known cat's naïve.").words, 4);
});

test('sentences and paragraphs', () => {
  assert.deepEqual(count('Yes. No?\n\nVersion 1.2 is out!'), { words: 6, sentences: 3, paragraphs: 2 });
});

test('a short text takes a minute', () => {
  assert.equal(readingTime(1), 1);
  assert.equal(readingTime(201), 2);
});
