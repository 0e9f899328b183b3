/**
 * `npm run image:check -- [--base DIR] [--ca FILE]`: proves the Dockerfile where there is no container engine. Builds it twice in
 * chroots, compares the images, accounts for every file in them, and runs them as the manifests say. Needs root, Debian's packages
 * debootstrap, libcap2-bin and iproute2, Debian's and npm's registries, 3 GB in /var/tmp and five minutes.
 *
 * --base: a root made by `debootstrap --variant=minbase`, which is left as it is. --ca: certificates of a proxy on the way to npm's
 * registry; default: $NODE_EXTRA_CA_CERTS.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/kube/values.ts';
import { makeBase, releaseOf } from './base.ts';
import { build, imageOf, project, sizeOf, TARGETS } from './build.ts';
import type { Image } from './chroot-build.ts';
import { account, bundled, listed } from './contents.ts';
import { parseDockerfile } from './dockerfile.ts';
import { FENCED, Processes } from './processes.ts';
import { SITUATIONS } from './situations.ts';

const UNPROVEN = `Not proven here:
  - the real base image: debootstrap of the same release stood in for it, and BASE by digest and SNAPSHOT were not used;
  - layers, labels and what else a container engine makes of the file;
  - the manifests' seccomp profile, memory limits and OOM score; /sys was read-only in the privileged init container;
  - other processors than this one.`;

const processes = new Processes();

async function check(folder: string, options: { base: string | undefined; ca: string | undefined }): Promise<void> {
  const epoch = (await processes.output('git', ['-C', project, 'log', '-1', '--format=%ct'])).trim();
  const base = join(folder, 'base');
  const release = releaseOf(parseDockerfile(readFileSync(join(project, 'Dockerfile'), 'utf8')).args.BASE ?? '');
  await makeBase({ release, made: options.base, into: base, processes });
  const once = (name: string) =>
    build({ out: join(folder, name), base, args: { SOURCE_DATE_EPOCH: epoch }, ca: options.ca, processes, log: say });
  const { stages, digests } = await once('first');
  const again = await once('second');
  for (const name of TARGETS) {
    if (digests[name] !== again.digests[name]) throw new Error(`two builds of ${name} differ`);
    say(`✓ two builds of ${name} are the same, byte for byte and time for time: ${digests[name]}`);
  }
  rmSync(join(folder, 'second'), { recursive: true });
  await checkContents(stages);
  await printSizes(stages);
  await runImages(stages, folder);
  say(UNPROVEN);
}

async function checkContents(stages: ReadonlyMap<string, Image>): Promise<void> {
  const packages = await bundled(project);
  for (const name of TARGETS) {
    const { root } = imageOf(stages, name);
    const list = listed(root);
    const { packages: debian, unknown } = account(root, imageOf(stages, 'build').root);
    if (unknown.length > 0) throw new Error(`${name}: nothing accounts for ${unknown.join(', ')}`);
    const listedDebian = [...list]
      .filter((purl) => purl.startsWith('pkg:deb/'))
      .map((purl) => purl.replace(/@.*$/, ''));
    const missing = [
      ...packages.filter((purl) => !list.has(purl)),
      ...[...debian].filter((purl) => !listedDebian.includes(purl)),
    ];
    if (missing.length > 0) throw new Error(`${name}: its SBOM lacks ${missing.join(', ')}`);
    const superfluous = listedDebian.filter((purl) => !debian.has(purl));
    if (superfluous.length > 0)
      throw new Error(`${name}: its SBOM has ${superfluous.join(', ')}, of which there is no file`);
    say(
      `✓ ${name}: every file is ours, Node's or of one of ${debian.size} Debian packages; the SBOM has these and ` +
        `the ${packages.length} npm packages in the bundle`,
    );
  }
}

async function printSizes(stages: ReadonlyMap<string, Image>): Promise<void> {
  for (const name of ['runtime', ...TARGETS]) {
    const { tree, gzip } = await sizeOf(imageOf(stages, name).root, processes);
    say(`${name}: ${megabytes(tree)}, as a tar with gzip ${megabytes(gzip)}`);
  }
}

async function runImages(stages: ReadonlyMap<string, Image>, folder: string): Promise<void> {
  const images = Object.fromEntries(TARGETS.map((name) => [name, imageOf(stages, name)]));
  writeFileSync(join(folder, 'images.json'), JSON.stringify(images));
  const script = join(import.meta.dirname, 'run-images.ts');
  for (const situation of Object.keys(SITUATIONS)) {
    say(`A node with ${situation}:`);
    const node = [process.execPath, script, folder, situation];
    await processes.show(FENCED[0], [...FENCED.slice(1), '--net', '--ipc', '--uts', '--mount-proc', ...node]);
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Whatever ends it, what it made goes with it: processes and mounts with their namespaces, files here. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { base: { type: 'string' }, ca: { type: 'string' } } });
  if (process.getuid?.() !== 0) throw new Error('chroots need root');
  let signalled: NodeJS.Signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signalled ??= signal;
      void processes.stop();
    });
  }
  const folder = mkdtempSync('/var/tmp/slicewise-images-');
  try {
    await check(folder, { base: values.base, ca: values.ca ?? process.env.NODE_EXTRA_CA_CERTS });
  } catch (error) {
    throw signalled === undefined ? error : new Error(`stopped by ${signalled}`, { cause: error });
  } finally {
    await processes.stop();
    say(`removing ${folder}`);
    // Who was killed a moment ago may still have files open.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`image:check: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
