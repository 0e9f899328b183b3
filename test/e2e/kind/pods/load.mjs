// Requests, each over a connection of its own.
//
//   load.mjs HOST PORT COUNT [--pods a,b,c] [--fair] [--refused] [--saw-not ADDRESS]   checks them and says what is not as it must be
//   load.mjs HOST PORT --forever REPORT_PORT                                           counts until the end; REPORT_PORT tells
//   load.mjs --report REPORT_PORT                                                      asks one that does, and fails if a request has
import { createServer, get } from 'node:http';

const TIMEOUT_MS = 2000;
const PAUSE_MS = 20;
const AT_ONCE_MS = 500;

/** @returns {Promise<{ pod?: string, client?: string, error?: string, ms: number }>} */
function ask(host, port) {
  const begin = performance.now();
  return new Promise((resolve) => {
    const done = (what) => resolve({ ...what, ms: performance.now() - begin });
    const request = get({ host, port, agent: false, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.once('end', () => done(JSON.parse(text)));
      response.once('error', (error) => done({ error: error.code ?? error.message }));
    });
    request.once('timeout', () => request.destroy(new Error('TIMEOUT')));
    request.once('error', (error) => done({ error: error.code ?? error.message }));
  });
}

function tally(values) {
  const counts = {};
  for (const value of values) if (value !== undefined) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function option(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : (process.argv[at + 1] ?? '');
}

async function check(host, port, count) {
  const answers = [];
  for (let i = 0; i < count; i++) answers.push(await ask(host, port));
  const shares = tally(answers.map(({ pod }) => pod));
  const errors = tally(answers.map(({ error }) => error));
  const clients = tally(answers.map(({ client }) => client?.replace('::ffff:', '')));
  console.log(JSON.stringify({ shares, errors, clients }));
  const wrong = [];
  if (process.argv.includes('--refused')) {
    if (errors.ECONNREFUSED !== count) wrong.push('not every connection was refused');
    if (answers.some(({ ms }) => ms > AT_ONCE_MS)) wrong.push(`not every one within ${AT_ONCE_MS} ms`);
  } else if (Object.keys(errors).length > 0) wrong.push('some requests failed');
  const pods = option('--pods')?.split(',');
  if (pods && Object.keys(shares).toSorted().join() !== pods.toSorted().join())
    wrong.push(`not answered by exactly ${pods}`);
  if (pods && process.argv.includes('--fair')) {
    // Four standard deviations of a fair die.
    const share = 1 / pods.length;
    const slack = 4 * Math.sqrt(count * share * (1 - share));
    for (const [pod, got] of Object.entries(shares))
      if (Math.abs(got - count * share) > slack)
        wrong.push(`the share of ${pod} is not ${count * share} ± ${Math.round(slack)}`);
  }
  const hidden = option('--saw-not');
  if (hidden !== undefined && clients[hidden]) wrong.push(`somebody saw ${hidden} itself`);
  if (wrong.length > 0) {
    console.error(wrong.join('; '));
    process.exit(1);
  }
}

async function forever(host, port, reportPort) {
  const totals = { requests: 0, failures: {} };
  createServer((_, response) => response.end(JSON.stringify(totals))).listen(reportPort, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
  for (;;) {
    const { error } = await ask(host, port);
    totals.requests++;
    if (error !== undefined) {
      totals.failures[error] = (totals.failures[error] ?? 0) + 1;
      console.error(`${new Date().toISOString()} ${error}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function report(reportPort) {
  const text = await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: reportPort }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    }).once('error', reject);
  });
  const { requests, failures } = JSON.parse(text);
  console.log(text);
  if (requests === 0 || Object.keys(failures).length > 0) process.exit(1);
}

const [host, port, count] = process.argv.slice(2);
if (host === '--report') await report(Number(port));
else if (count === '--forever') await forever(host, Number(port), Number(process.argv[5]));
else await check(host, Number(port), Number(count));
