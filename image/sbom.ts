/**
 * Prints what an image consists of, as CycloneDX 1.5: what npm says of the bundle, the Node that runs it, and the Debian packages that
 * `collect.sh` recorded in its layers.
 *
 *   node image/sbom.ts NPM-SBOM PACKAGES ROOT... > slicewise.cdx.json
 *
 * NPM-SBOM is what `npm sbom` says of all packages, and PACKAGES names the folders of those to keep: `npm sbom --omit=dev` leaves out
 * packages that a tool needs as well, yaml among them. The same contents give the same text: the random number and the time of npm's are left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Component {
  'bom-ref': string;
  type: string;
  name: string;
  version: string;
  purl: string;
  cpe?: string;
}

interface Edges {
  ref: string;
  dependsOn?: string[];
}

function node(version: string): Component {
  const purl = `pkg:generic/node@${version}`;
  const cpe = `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`;
  return { 'bom-ref': purl, type: 'platform', name: 'node', version, purl, cpe };
}

/** @param record what `dpkg-query --status` printed @throws Error when a field is missing */
function debianPackage(record: string): Component {
  const field = (name: string): string => {
    const value = new RegExp(`^${name}: (.+)$`, 'm').exec(record)?.[1];
    if (value === undefined) throw new Error(`a record of dpkg without ${name}: ${record.slice(0, 100)}`);
    return value;
  };
  const [name, version] = [field('Package'), field('Version')];
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${field('Architecture')}`;
  return { 'bom-ref': purl, type: 'library', name, version, purl };
}

function recorded(root: string): Component[] {
  const folder = join(root, 'var/lib/dpkg/status.d');
  return readdirSync(folder)
    .sort()
    .map((file) => debianPackage(readFileSync(join(folder, file), 'utf8')));
}

/** The references, in npm's list, of the packages in these folders. */
function referencesOf(folders: readonly string[]): Set<string> {
  return new Set(
    folders.map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      return `${name}@${version}`;
    }),
  );
}

const [npm, packages, ...roots] = process.argv.slice(2);
if (npm === undefined || packages === undefined || roots.length === 0)
  throw new Error('usage: sbom.ts NPM-SBOM PACKAGES ROOT...');
const { serialNumber: _, metadata, components, dependencies, ...rest } = JSON.parse(readFileSync(npm, 'utf8'));
const { timestamp: __, ...described } = metadata;
const kept = referencesOf(readFileSync(packages, 'utf8').trim().split('\n'));
const libraries: Component[] = components.filter((component: Component) => kept.delete(component['bom-ref']));
if (kept.size > 0) throw new Error(`npm's list lacks ${[...kept].join(', ')}`);
const references = new Set([described.component['bom-ref'], ...libraries.map((component) => component['bom-ref'])]);
const edges: Edges[] = dependencies
  .filter(({ ref }: Edges) => references.has(ref))
  .map(({ ref, dependsOn = [] }: Edges) => ({ ref, dependsOn: dependsOn.filter((target) => references.has(target)) }));
const whole = [...libraries, node(process.versions.node), ...roots.flatMap(recorded)];
const text = JSON.stringify({ ...rest, metadata: described, components: whole, dependencies: edges }, null, 1);
process.stdout.write(`${text}\n`);
