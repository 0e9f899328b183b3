import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FENCED, type Processes } from './processes.ts';

/** The release that the Dockerfile's base is named after: `trixie` of `debian:trixie-slim`. @throws Error for a digest */
export function releaseOf(base: string): string {
  const release = /^debian:([a-z]+)-slim$/.exec(base)?.[1];
  if (release === undefined) throw new Error(`BASE ${base}: no Debian release to stand in for it`);
  return release;
}

const MIRROR = 'http://deb.debian.org/debian';

/** Files that the slim images leave out, and that no package may put there later. */
const LEFT_OUT = ['doc', 'groff', 'info', 'linda', 'lintian', 'locale', 'man'].map((name) => `/usr/share/${name}`);

/**
 * Makes `into` what can be had here of the image debian:RELEASE-slim: what debootstrap installs, without documents, and with the
 * settings of apt and dpkg that the image has, as far as they matter to a build.
 * @param made a root that debootstrap has made before, to be copied
 */
export async function makeBase(options: {
  release: string;
  made: string | undefined;
  into: string;
  processes: Processes;
}): Promise<void> {
  const { release, made, into, processes } = options;
  // Fenced, as it mounts /proc and more in there.
  const command = [...FENCED.slice(1), '--mount-proc', 'debootstrap', '--variant=minbase', release, into, MIRROR];
  if (made === undefined) await processes.run(FENCED[0], command);
  else await processes.run('cp', ['-a', made, into]);
  const folders = LEFT_OUT.map((path) => join(into, path));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  // Links go too, among them those that lead to the licence of another package.
  const documents = ['!', '-type', 'd', '!', '(', '-type', 'f', '-path', '*/usr/share/doc/*/copyright', ')'];
  await processes.run('find', [...folders, ...documents, '-delete']);
  const write = (path: string, lines: string[]) => {
    mkdirSync(join(into, path, '..'), { recursive: true });
    writeFileSync(join(into, path), `${lines.join('\n')}\n`);
  };
  write('etc/dpkg/dpkg.cfg.d/docker', [
    ...LEFT_OUT.map((path) => `path-exclude ${path}/*`),
    'path-include /usr/share/doc/*/copyright',
  ]);
  write('etc/dpkg/dpkg.cfg.d/docker-apt-speedup', ['force-unsafe-io']);
  write('etc/apt/apt.conf.d/docker-no-languages', ['Acquire::Languages "none";']);
  write('etc/apt/sources.list', []);
  write('etc/apt/sources.list.d/debian.sources', [
    ...source(MIRROR, `${release} ${release}-updates`),
    '',
    ...source(`${MIRROR}-security`, `${release}-security`),
  ]);
}

function source(uri: string, suites: string): string[] {
  const signed = 'Signed-By: /usr/share/keyrings/debian-archive-keyring.pgp';
  return ['Types: deb', `URIs: ${uri}`, `Suites: ${suites}`, 'Components: main', signed];
}
