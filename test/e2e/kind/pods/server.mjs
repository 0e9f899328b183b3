// Answers with its own name and whom it sees asking. `/ready?set=false` makes it fail its readiness probe, `/ready` is the probe.
import { createServer } from 'node:http';
import { hostname } from 'node:os';

let ready = true;
createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/ready') {
    if (url.searchParams.has('set')) ready = url.searchParams.get('set') === 'true';
    response.writeHead(ready ? 200 : 503, { connection: 'close' }).end();
    return;
  }
  const body = JSON.stringify({ pod: hostname(), client: request.socket.remoteAddress });
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(body);
}).listen(Number(process.env.PORT ?? 8080), '::', () => console.log('listening'));
// A Pod that ends goes on answering until every node knows that it does.
process.on('SIGTERM', () => setTimeout(() => process.exit(0), 5000));
