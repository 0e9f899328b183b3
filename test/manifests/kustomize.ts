import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { isRecord, type JsonRecord } from '../../src/kube/values.ts';

const run = promisify(execFile);

export const manifests = join(import.meta.dirname, '..', '..', 'manifests');

/** Whether there is a kubectl to render with; says so when there is none. */
export const hasKubectl = (() => {
  const found = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;
  if (!found) console.log('skipped: tests of the manifests: there is no kubectl on the PATH');
  return found;
})();

export interface Manifest extends JsonRecord {
  apiVersion: string;
  kind: string;
  metadata: JsonRecord & { name: string; namespace?: string };
}

/** What `kubectl kustomize` makes of a folder. @throws Error with what it complains of */
export async function render(folder: string): Promise<Manifest[]> {
  const { stdout } = await run('kubectl', ['kustomize', folder], { maxBuffer: 1 << 24 });
  return parseAllDocuments(stdout).map((document) => {
    const object: unknown = document.toJS();
    if (!isManifest(object)) throw new Error(`${folder}: not an object of Kubernetes: ${String(document)}`);
    return object;
  });
}

/** Renders a kustomization that stands in no folder; its paths are relative to manifests/. */
export async function renderTogether(kustomization: {
  resources: string[];
  components?: string[];
  patches?: object[];
}): Promise<Manifest[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slicewise-kustomize-'));
  try {
    const from = (paths: string[] = []) => paths.map((path) => relative(folder, join(manifests, path)));
    const { resources, components, ...rest } = kustomization;
    const text = stringify({ resources: from(resources), components: from(components), ...rest });
    await writeFile(join(folder, 'kustomization.yaml'), text);
    return await render(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function isManifest(value: unknown): value is Manifest {
  return (
    isRecord(value) &&
    typeof value.kind === 'string' &&
    isRecord(value.metadata) &&
    typeof value.metadata.name === 'string'
  );
}

/** The one object of this kind and name. @throws RangeError */
export function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const [found, ...more] = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (!found || more.length > 0) throw new RangeError(`${more.length + (found ? 1 : 0)} ${kind} ${name}`);
  return found;
}

/** The value at a path: `at(pod, 'spec', 'containers', 0, 'args')`. @throws RangeError when there is none */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  let here = value;
  for (const step of path) {
    if (Array.isArray(here) && typeof step === 'number') here = here[step];
    else here = isRecord(here) ? here[step] : undefined;
    if (here === undefined) throw new RangeError(`nothing at ${path.join('.')}, nor at ${step} of it`);
  }
  return here;
}

export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
