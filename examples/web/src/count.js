/** Counts the words, sentences and paragraphs of a text. */
export function count(text) {
  return {
    words: text.match(/[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*/gu)?.length ?? 0,
    sentences: text.split(/[.!?]+(?:\s|$)/).filter((part) => part.trim()).length,
    paragraphs: text.split(/\n\s*\n/).filter((part) => part.trim()).length,
  };
}

/** Minutes to read that many words, at 200 a minute, rounded up. */
export function readingTime(words) {
  return Math.ceil(words / 200);
}
