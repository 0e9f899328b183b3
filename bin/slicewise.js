#!/usr/bin/env node
// Starts Slicewise on the Node runtime that npm installed with it, whatever Node runs this file.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const bundled = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
const tooOld = Number(process.versions.node.split('.')[0]) < 24;
const runtime = existsSync(bundled) ? bundled : process.execPath;

if (runtime === process.execPath && tooOld) {
  console.error(`slicewise needs Node 24 or later; this is ${process.version} and "npm ci" has not installed one`);
  process.exit(1);
}
const child = spawn(runtime, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
// A terminal sends SIGINT to the whole process group, so the child has it already.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 128 + (signal === 'SIGINT' ? 2 : 15) : (code ?? 1)));
