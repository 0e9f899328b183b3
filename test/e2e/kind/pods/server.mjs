// Answers with its own name and whom it sees asking. `/ready?set=false` makes it fail its readiness probe, `/ready` is the probe.
// $PORT says where, 8080 unless it is set.
import { createServer } from 'node:http';
import { hostname } from 'node:os';

/** A Pod that ends goes on answering until every node knows that it does. */
const FAREWELL_MS = 5000;

let ready = true;
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/ready') {
    if (url.searchParams.has('set')) ready = url.searchParams.get('set') === 'true';
    response.writeHead(ready ? 200 : 503, { connection: 'close' }).end();
    return;
  }
  const body = JSON.stringify({ pod: hostname(), client: request.socket.remoteAddress });
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end(body);
});
// Without an address: of both families, or of IPv4 alone where there is no other.
server.listen(Number(process.env.PORT ?? 8080), () => console.log(`listening on ${server.address().port}`));
process.on('SIGTERM', () => setTimeout(() => process.exit(0), FAREWELL_MS));
