import { readdirSync } from 'node:fs';

/** `npm run bench` lists the benchmarks; `npm run bench -- NAME [ARGS]` runs one. Each prints ratios to a floor or anchor. */
const available = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'main.ts')
  .map((entry) => entry.name.slice(0, -'.ts'.length))
  .sort();

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  process.stdout.write(`usage: npm run bench -- NAME [options]\n\n${available.map((n) => `  ${n}\n`).join('')}`);
} else if (!available.includes(name)) {
  process.stderr.write(`no benchmark "${name}"; there are: ${available.join(', ')}\n`);
  process.exitCode = 2;
} else {
  process.argv = [process.argv[0] ?? 'node', `${import.meta.dirname}/${name}.ts`, ...args];
  await import(`./${name}.ts`);
}
