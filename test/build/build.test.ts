import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type OutputChunk, rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import config from '../../rolldown.config.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

/** The modules that loading the chunk of `source` loads, other chunks' included, as paths from the root of the project. */
function loadedWith(source: string, chunks: OutputChunk[]): string[] {
  const start = chunks.find((chunk) => chunk.facadeModuleId === join(root, source));
  const wanted = new Set(start && [start]);
  for (const chunk of wanted)
    for (const name of chunk.imports) for (const c of chunks) if (c.fileName === name) wanted.add(c);
  return [...wanted].flatMap((chunk) => chunk.moduleIds.map((id) => relative(root, id)));
}

describe('npm run build', () => {
  let folder = '';
  let dist = '';
  let chunks: OutputChunk[] = [];
  beforeAll(async () => {
    // Away from the sources and from node_modules: what runs here runs in an image.
    folder = await mkdtemp(join(tmpdir(), 'slicewise-build-'));
    dist = join(folder, 'dist');
    const bundle = await rolldown({ ...config, cwd: root });
    const { output } = await bundle.write({ ...config.output, dir: dist });
    chunks = output.filter((file) => file.type === 'chunk');
    await bundle.close();
    await cp(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(['demo', 'devcluster', 'controller', 'proxier'])('makes a %s that needs no node_modules', async (name) => {
    const { stdout } = await run(process.execPath, [join(dist, 'main.js'), name, '--help'], { cwd: folder });
    expect(stdout).toContain(`Usage: slicewise ${name}`);
  });

  it('keeps the version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const { stdout } = await run(process.execPath, [join(dist, 'main.js'), '--version']);
    expect(stdout).toBe(`slicewise ${version}\n`);
  });

  it('is what the launcher starts where there are no sources', async () => {
    const { stdout } = await run(process.execPath, [join(folder, 'bin', 'slicewise.js'), 'proxier', '--help']);
    expect(stdout).toContain('--iptables-backend');
  });

  it.each(['proxier', 'controller'])('keeps the embedded server and the other component out of %s', (name) => {
    const modules = loadedWith(`src/commands/${name}.ts`, chunks);
    expect(modules).toContain(`src/commands/${name}.ts`);
    const foreign = name === 'proxier' ? 'src/endpointslice/controller.ts' : 'src/proxy/proxier.ts';
    expect(modules.filter((module) => module.startsWith('src/embedded/') || module === foreign)).toEqual([]);
  });

  it('runs the embedded cluster, which reads data files and starts helpers', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    const args = [join(dist, 'main.js'), 'devcluster', '--nodes=1', '--kubeconfig-out', kubeconfig];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    let said = '';
    for await (const text of child.stdout.setEncoding('utf8')) {
      said += text;
      if (said.includes(kubeconfig)) break;
    }
    child.kill('SIGTERM');
    expect((await ended)[0]).toBe(0);
    expect(said).toContain(kubeconfig);
  });
});
