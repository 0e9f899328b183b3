// Requests, each over a connection of its own.
//
//   load.mjs HOST PORT COUNT [CHECKS...]       asks so often, and says what is not as it must be
//     --pods A,B,C       answered by all of these and by nobody else
//     --fair             and by each about as often
//     --masked POD IP    POD never saw IP asking
//     --refused          every connection refused, rather than left without an answer; otherwise none may fail
//   load.mjs HOST PORT --forever REPORT_PORT   counts until the end; REPORT_PORT of loopback tells
//   load.mjs --report REPORT_PORT              asks one that does, and fails if a request has, or if there was none yet
import { createServer, get } from 'node:http';

const TIMEOUT_MS = 2000;
const PAUSE_MS = 20;

/** @returns {Promise<{ pod?: string, client?: string, error?: string }>} */
function ask(host, port) {
  return new Promise((resolve) => {
    const failed = (error) => resolve({ error: error.code ?? error.message });
    const request = get({ host, port, agent: false, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.once('end', () => resolve(answer(text)));
      response.once('error', failed);
    });
    request.once('timeout', () => request.destroy(new Error('TIMEOUT')));
    request.once('error', failed);
  });
}

/** An answer that is none of ours counts as a failure; it must not end those who count. */
function answer(text) {
  try {
    const { pod, client } = JSON.parse(text);
    return { pod, client: client.replace('::ffff:', '') };
  } catch {
    return { error: 'NOT_OUR_SERVER' };
  }
}

function tally(values) {
  const counts = {};
  for (const value of values) if (value !== undefined) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** The words after an option, or undefined without it. */
function option(name, words = 1) {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv.slice(at + 1, at + 1 + words);
}

async function check(host, port, count) {
  const refused = option('--refused') !== undefined;
  const answers = [];
  // One failure decides; waiting for more would only take long.
  while (answers.length < count && (refused || answers.at(-1)?.error === undefined))
    answers.push(await ask(host, port));
  const shares = tally(answers.map(({ pod }) => pod));
  const errors = tally(answers.map(({ error }) => error));
  console.log(JSON.stringify({ asked: answers.length, shares, errors, clients: tally(answers.map((a) => a.client)) }));
  const wrong = refused ? notRefused(errors, count) : notAnswered(answers, shares, errors, count);
  if (wrong.length > 0) {
    console.error(wrong.join('; '));
    process.exit(1);
  }
}

function notRefused(errors, count) {
  return errors.ECONNREFUSED === count ? [] : ['not every connection was refused'];
}

function notAnswered(answers, shares, errors, count) {
  if (Object.keys(errors).length > 0) return [`request ${answers.length} failed`];
  const wrong = [];
  const [pods] = option('--pods')?.map((names) => names.split(',')) ?? [];
  if (pods && Object.keys(shares).toSorted().join() !== pods.toSorted().join())
    wrong.push(`not answered by exactly ${pods}`);
  if (pods && option('--fair')) {
    // Four standard deviations of a fair die.
    const share = 1 / pods.length;
    const slack = 4 * Math.sqrt(count * share * (1 - share));
    for (const [pod, got] of Object.entries(shares))
      if (Math.abs(got - count * share) > slack)
        wrong.push(`the share of ${pod} is not ${count * share} ± ${Math.round(slack)}`);
  }
  const [masked, address] = option('--masked', 2) ?? [];
  if (answers.some(({ pod, client }) => pod === masked && client === address))
    wrong.push(`${masked} saw ${address} itself`);
  return wrong;
}

async function forever(host, port, reportPort) {
  const totals = { requests: 0, failures: {} };
  const reports = createServer((_, response) => response.end(JSON.stringify(totals)));
  reports.listen(reportPort, '127.0.0.1', () => console.log(`reporting on ${reports.address().port}`));
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
    get({ host: '127.0.0.1', port: reportPort, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.once('end', () => resolve(body)).once('error', reject);
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
