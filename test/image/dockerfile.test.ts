import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assignments, execForm, expand, parseDockerfile, type Stage } from './dockerfile.ts';

const root = join(import.meta.dirname, '..', '..');
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

  it('takes build arguments in place of defaults', () => {
    expect(parseDockerfile('ARG BASE=debian:x\nFROM $BASE AS one\n', { BASE: 'debian:y' }).stages[0]?.from).toBe(
      'debian:y',
    );
  });

  it.each([
    ['HEALTHCHECK NONE', 'not understood here: HEALTHCHECK NONE'],
    ['COPY --chown=1:1 a b', 'not understood here: COPY --chown=1:1'],
    ['RUN --mount=type=cache true', 'not understood here: RUN --mount=type=cache'],
    ['FROM debian', 'a stage without a name: FROM debian'],
  ])('refuses %s, rather than doing half of it', (line, message) => {
    expect(() => parseDockerfile(`FROM scratch AS one\n${line}\n`)).toThrow(message);
  });

  it('reads assignments with and without quotes, and words in exec form only', () => {
    expect(assignments('A=1 b.c="two words"')).toEqual({ A: '1', 'b.c': 'two words' });
    expect(() => assignments('A 1')).toThrow('not NAME=value: A 1');
    expect(execForm('["a", "b c"]')).toEqual(['a', 'b c']);
    expect(() => execForm('a b')).toThrow('not the exec form: a b');
    expect(() => expand('$NOBODY', {})).toThrow('$NOBODY has no value');
  });
});

const all = dockerfile.stages.flatMap(({ instructions }) => instructions);

describe('the Dockerfile', () => {
  it('names a release of Debian, replaceable by a digest, and takes everything from that or from nothing', () => {
    expect(dockerfile.args.BASE).toMatch(/^debian:[a-z]+-slim$/);
    const names = dockerfile.stages.map(({ name }) => name);
    const others = dockerfile.stages
      .map(({ from }) => from)
      .filter((from) => !names.includes(from) && from !== 'scratch');
    expect(others).toEqual([dockerfile.args.BASE]);
  });

  it('builds both images from nothing, each with a numeric user, the controller without rights', () => {
    expect(stage('runtime').from).toBe('scratch');
    for (const [name, user] of Object.entries({ controller: '65532:65532', proxier: '0:0' })) {
      expect(stage(name).from).toBe('runtime');
      expect(texts(name, 'USER')).toEqual([user]);
      // With no shell in the image there is nothing to RUN.
      expect(texts(name, 'RUN')).toEqual([]);
    }
  });

  it('names the version of everything that no lock file holds', () => {
    const installs = all.filter(({ text }) => text.includes('npm install'));
    expect(installs.map(({ text }) => /npm install (.*)$/.exec(text)?.[1])).toEqual(['--global "npm@$NPM"']);
    expect(assignments(texts('build', 'ARG').find((text) => text.startsWith('NPM=')) ?? '')).toEqual({
      NPM: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
    expect(all.filter(({ text }) => /:latest|npm@latest|curl|wget/.test(text))).toEqual([]);
  });

  it('installs without recommended packages and leaves no lists behind', () => {
    for (const { text } of all.filter((step) => step.text.includes('apt-get install'))) {
      expect(text).toMatch(/^apt-get update +&& apt-get install -y --no-install-recommends /);
      expect(text).toContain('rm -rf /var/lib/apt/lists/*');
    }
  });

  it('puts nothing of Debian into the proxier but iptables with its extensions, conntrack, nfacct, nft and the names of protocols', () => {
    const collect = texts('build', 'RUN').find((text) => text.includes('/out/proxier /usr/sbin/conntrack'));
    expect(/collect\.sh (.*)$/.exec(collect ?? '')?.[1]?.split(/\s+/)).toEqual([
      '/out/proxier',
      '/usr/sbin/conntrack',
      '/usr/sbin/nfacct',
      '/usr/sbin/nft',
      '$variants',
      '/usr/sbin/xtables-nft-multi',
      '/usr/sbin/xtables-legacy-multi',
      '/usr/lib/*/xtables/*.so',
      '/etc/protocols',
    ]);
  });

  it('starts both with the flags and the environment of the launcher, without a shell', () => {
    const launcher = readFileSync(join(root, 'bin', 'slicewise.js'), 'utf8');
    const flags = /const flags = \[(.*)\];/.exec(launcher)?.[1]?.replaceAll(/['\s]/g, '').split(',') ?? [];
    const [entry = ''] = texts('runtime', 'ENTRYPOINT');
    expect(execForm(entry)).toEqual(['/usr/local/bin/node', ...flags, '/usr/share/slicewise/main.js']);
    const [environment = ''] = texts('runtime', 'ENV');
    expect(assignments(environment).MALLOC_ARENA_MAX).toBe(/MALLOC_ARENA_MAX: '(\d+)'/.exec(launcher)?.[1]);
    for (const name of ['controller', 'proxier']) {
      expect(texts(name, 'ENTRYPOINT')).toEqual([]);
      expect(texts(name, 'CMD').map(execForm)).toEqual([[name]]);
    }
  });

  it('leaves health to the probes of the manifests', () => {
    expect(all.filter(({ name }) => name === 'HEALTHCHECK')).toEqual([]);
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

  it('starts the wrapper of iptables with the Node of the image', () => {
    const [shebang] = readFileSync(join(root, 'src', 'iptables-wrapper.ts'), 'utf8').split('\n');
    expect(shebang).toBe(
      `#!${execForm(texts('runtime', 'ENTRYPOINT')[0] ?? '')[0]} --disable-warning=ExperimentalWarning`,
    );
  });
});
