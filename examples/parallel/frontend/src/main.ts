import { summary } from './summary';

const form = document.querySelector('form')!;
const output = document.querySelector('output')!;

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const dice = new FormData(form).get('dice') as string;
  const answer = await fetch(`/api/roll?dice=${encodeURIComponent(dice)}`);
  output.textContent = answer.ok ? summary(await answer.json()) : await answer.text();
});
