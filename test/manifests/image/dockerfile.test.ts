import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDockerfile, type Stage } from './dockerfile.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const dockerfile = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'));
const stage = (name: string): Stage => {
  const found = dockerfile.stages.find((s) => s.name === name);
  if (!found) throw new Error(`no stage ${name}`);
  return found;
};
const texts = (name: string, instruction: string): string[] =>
  stage(name).instructions.flatMap((step) => (step.name === instruction ? [step.text] : []));

describe('reading a Dockerfile', () => {
  it('joins continued lines, leaves comments out and knows stages, flags and arguments', () => {
    const source =
      'ARG BASE=debian:x\nFROM $BASE AS one\nRUN a \\\n  # why\n  && b\nFROM one AS two\nCOPY --from=one /a /b\n';
    expect(parseDockerfile(source)).toEqual({
      args: { BASE: 'debian:x' },
      stages: [
        { name: 'one', from: 'debian:x', instructions: [{ name: 'RUN', flags: {}, text: 'a    && b' }] },
        { name: 'two', from: 'one', instructions: [{ name: 'COPY', flags: { from: 'one' }, text: '/a /b' }] },
      ],
    });
  });
});

describe('the Dockerfile', () => {
  it('names a release of Debian, replaceable by a digest', () => {
    expect(dockerfile.args.BASE).toMatch(/^debian:[a-z]+-slim$/);
    expect(stage('base').from).toBe(dockerfile.args.BASE);
  });

  it('builds the controller from nothing, for a user without rights', () => {
    expect(stage('controller').from).toBe('scratch');
    expect(texts('controller', 'USER')).toEqual(['65532:65532']);
  });

  it('puts nothing but iptables, its companions and a library of Node on top of Debian for the proxier', () => {
    const [install = ''] = texts('proxier', 'RUN');
    expect(/--no-install-recommends ([^&]+)/.exec(install)?.[1]?.trim()).toBe(
      'conntrack iptables libatomic1 nfacct nftables',
    );
  });

  it('starts both with the flags of the launcher', () => {
    const launcher = readFileSync(join(root, 'bin', 'slicewise.js'), 'utf8');
    const flags = /const flags = \[(.*)\];/.exec(launcher)?.[1]?.replaceAll("'", '"');
    const entry = `["/usr/local/bin/node", ${flags}, "/usr/share/slicewise/main.js"]`;
    for (const name of ['controller', 'proxier']) {
      expect(texts(name, 'ENTRYPOINT')).toEqual([entry]);
      expect(texts(name, 'CMD')).toEqual([`["${name}"]`]);
    }
  });

  it('copies only files that are there and that .dockerignore lets pass', () => {
    const allowed = readFileSync(join(root, '.dockerignore'), 'utf8')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    const copied = stage('build')
      .instructions.filter((step) => step.name === 'COPY')
      .flatMap((step) => step.text.split(/\s+/).slice(0, -1));
    expect(copied.toSorted()).toEqual(allowed.toSorted());
    for (const file of copied) expect(existsSync(join(root, file)), file).toBe(true);
  });
});
