import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildStages, type Image } from './chroot-build.ts';
import { parseDockerfile } from './dockerfile.ts';
import type { Processes } from './processes.ts';

export const project = join(import.meta.dirname, '..', '..');

/** The images that people pull; the other stages are on the way there. */
export const TARGETS = ['controller', 'proxier'] as const;

export interface Built {
  stages: Map<string, Image>;
  /** SHA-256 of each target's root as a tar: contents, names, modes, owners and times. */
  digests: Record<string, string>;
}

/** Builds all stages of the project's Dockerfile into folders of `out`. */
export async function build(options: {
  out: string;
  base: string;
  args: Readonly<Record<string, string>>;
  ca: string | undefined;
  processes: Processes;
  log: (line: string) => void;
}): Promise<Built> {
  const { args, processes } = options;
  const file = parseDockerfile(readFileSync(join(project, 'Dockerfile'), 'utf8'), args);
  const stages = await buildStages({ ...options, file, context: project });
  const digests: Record<string, string> = {};
  for (const name of TARGETS) {
    const tar = ['-c', `${TAR} | sha256sum`, 'sh', imageOf(stages, name).root];
    digests[name] = (await processes.output('bash', ['-o', 'pipefail', ...tar])).slice(0, 64);
  }
  return { stages, digests };
}

export function imageOf(stages: ReadonlyMap<string, Image>, name: string): Image {
  const image = stages.get(name);
  if (!image) throw new Error(`the Dockerfile has no stage ${name}`);
  return image;
}

/** The tar of the folder $1, the same for the same contents. */
const TAR =
  'tar --create --sort=name --numeric-owner --format=posix --pax-option=delete=atime,delete=ctime --directory "$1" .';

export interface Size {
  /** Bytes of the files. */
  tree: number;
  /** Bytes of the tar, gzip'd as registries store it. */
  gzip: number;
}

export async function sizeOf(root: string, processes: Processes): Promise<Size> {
  const tree = await processes.output('du', ['--summarize', '--apparent-size', '--block-size=1', root]);
  const gzip = await processes.output('bash', [
    '-o',
    'pipefail',
    '-c',
    `${TAR} | gzip --no-name | wc --bytes`,
    'sh',
    root,
  ]);
  return { tree: Number.parseInt(tree, 10), gzip: Number.parseInt(gzip, 10) };
}
