import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import config from '../../rolldown.config.ts';
import { strings } from '../manifests/kustomize.ts';

/** What an image's own list, at /usr/share/sbom, says: package URLs without their qualifiers. */
export function listed(root: string): Set<string> {
  const { components } = JSON.parse(readFileSync(join(root, 'usr/share/sbom/slicewise.cdx.json'), 'utf8'));
  return new Set(components.map(({ purl }: { purl: string }) => purl.split('?')[0]));
}

/** Package URLs of the npm packages that the bundle has modules of. */
export async function bundled(project: string): Promise<string[]> {
  const bundle = await rolldown({ ...config, cwd: project });
  const { output } = await bundle.generate(config.output as object);
  await bundle.close();
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
  const folders = new Set(modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []));
  return [...folders].map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `pkg:npm/${encodeURIComponent(name).replace('%2F', '/')}@${version}`;
  });
}

/** Files that are no Debian package's: ours, Node, and what says where the rest is from. */
const OURS = [
  /^\/usr\/local\/bin\/node$/,
  /^\/usr\/share\/slicewise\//,
  /^\/usr\/share\/sbom\/slicewise\.cdx\.json$/,
  /^\/usr\/sbin\/ip6?tables(-save|-restore)?$/,
  /^\/etc\/(debian_version|group|nsswitch\.conf|os-release|passwd)$/,
  /^\/var\/lib\/dpkg\/status\.d\/[^/]+$/,
];

export interface Accounts {
  /** Package URLs of the Debian packages that files of the image are from, without versions: `pkg:deb/debian/libc6`. */
  packages: Set<string>;
  /** Files that nothing accounts for. */
  unknown: string[];
}

/**
 * Finds out where each file of an image is from.
 * @param origin the root that it was copied from, with dpkg's records
 */
export function account(root: string, origin: string): Accounts {
  const owners = ownersIn(origin);
  const accounts: Accounts = { packages: new Set(), unknown: [] };
  for (const file of filesOf(root)) {
    if (OURS.some((pattern) => pattern.test(file))) continue;
    const licensed = /^\/usr\/share\/doc\/([^/]+)\/copyright$/.exec(file)?.[1];
    // /lib is a link to /usr/lib in Debian.
    const owner = licensed ?? owners.get(file.replace(/^\/(lib|lib64)\//, '/usr/$1/'));
    if (owner === undefined) accounts.unknown.push(file);
    else accounts.packages.add(`pkg:deb/debian/${encodeURIComponent(owner)}`);
  }
  return accounts;
}

function ownersIn(root: string): Map<string, string> {
  const folder = join(root, 'var/lib/dpkg/info');
  const lists = readdirSync(folder).filter((name) => name.endsWith('.list'));
  return new Map(
    lists.flatMap((name) => {
      const owner = name.replace(/(:\w+)?\.list$/, '');
      const files = strings(readFileSync(join(folder, name), 'utf8').split('\n'));
      return files.map((file): [string, string] => [file, owner]);
    }),
  );
}

function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => `/${relative(root, join(entry.parentPath, entry.name))}`);
}
