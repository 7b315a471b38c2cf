import { useState } from 'react';
import { count, readingTime } from './count.js';

const sample = `One stage compiles the page, another serves it.

Nothing of the compiler is in the image. Edit this text, and the numbers follow.`;

export function App() {
  const [text, setText] = useState(sample);
  const { words, sentences, paragraphs } = count(text);
  return (
    <main>
      <h1>Word count</h1>
      <textarea aria-label="Text" value={text} onChange={(event) => setText(event.target.value)} />
      <dl>
        <div><dt>Words</dt><dd>{words}</dd></div>
        <div><dt>Sentences</dt><dd>{sentences}</dd></div>
        <div><dt>Paragraphs</dt><dd>{paragraphs}</dd></div>
        <div><dt>Minutes to read</dt><dd>{readingTime(words)}</dd></div>
      </dl>
    </main>
  );
}
