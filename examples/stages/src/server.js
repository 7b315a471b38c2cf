import { createServer } from 'node:http';
import Mustache from 'mustache';
import { contrast } from './contrast.js';
// The bundler turns the template into a string.
import page from './page.html';

const port = Number(process.env.PORT ?? 3000);

const server = createServer((req, res) => {
  const [path, query] = req.url.split('?');
  if (path !== '/') {
    res.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
    return;
  }
  const params = new URLSearchParams(query);
  const fg = (params.get('fg') ?? '222').replace(/^#/, '');
  const bg = (params.get('bg') ?? 'fff').replace(/^#/, '');
  try {
    const ratio = contrast(fg, bg);
    res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    res.end(Mustache.render(page, { fg, bg, ratio, readable: ratio >= 4.5 }));
  } catch (err) {
    res.writeHead(400, { 'Content-Type': 'text/plain' }).end(`${err.message}\n`);
  }
});

server.listen(port, () => console.log(`listening on port ${port}`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    server.close();
    server.closeAllConnections?.();
  });
}
