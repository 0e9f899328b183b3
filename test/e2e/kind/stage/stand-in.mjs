// `stand-in.mjs PROGRAM ARGUMENTS...`: has the call answered at the socket $STAGE, and does as it is told there.
import { request } from 'node:http';
import { text } from 'node:stream/consumers';

const call = request({ socketPath: process.env.STAGE, method: 'POST' }, async (response) => {
  const { code, stdout, stderr } = JSON.parse(await text(response));
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
});
call.end(JSON.stringify(process.argv.slice(2)));
