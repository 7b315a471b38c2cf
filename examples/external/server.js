import { createServer } from 'node:http';
import { timeIn } from './clock.js';

const port = Number(process.env.PORT ?? 3000);

const server = createServer((req, res) => {
  // No name of a time zone needs percent encoding.
  const zone = req.url.slice(1).split('?')[0] || 'UTC';
  const time = timeIn(zone);
  res.writeHead(time ? 200 : 404, { 'Content-Type': 'text/plain' });
  res.end(time ? `${zone} ${time}\n` : `no time zone ${zone}\n`);
});

server.listen(port, () => console.log(`listening on port ${port}`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    server.close();
    server.closeAllConnections?.();
  });
}
