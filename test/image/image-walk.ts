import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Agent, request } from 'undici';
import { parse } from 'yaml';
import { at, manifests } from '../manifests/kustomize.ts';
import type { Image } from './chroot-build.ts';
import { Container, type ContainerSpec } from './container.ts';
import { containerSpec } from './pod.ts';
import type { Processes } from './processes.ts';
import type { Situation } from './situations.ts';
import { PODS, type World } from './world.ts';

export type Images = Record<'controller' | 'proxier', Image>;

/** Both images at work on one node; what is not as it should be is an Error. */
export class ImageWalk {
  readonly #images: Images;
  readonly #world: World;
  readonly #situation: Situation;
  readonly #folder: string;
  readonly #processes: Processes;
  #count = 0;

  constructor(options: {
    images: Images;
    world: World;
    situation: Situation;
    /** Scratch space. */
    folder: string;
    processes: Processes;
  }) {
    this.#images = options.images;
    this.#world = options.world;
    this.#situation = options.situation;
    this.#folder = options.folder;
    this.#processes = options.processes;
  }

  /** The whole walk. */
  async run(): Promise<void> {
    const init = this.#proxierSpec('initContainers');
    const { mounts } = this.#proxierSpec('containers');
    for (const [program = '', ...args] of this.#situation.before)
      await this.#program({ ...init, mounts }, program, args);
    await this.#succeeds('the init container prepares the kernel', this.#start('proxier', init));
    await this.#fences();

    const controller = this.#start('controller', this.#controllerSpec());
    await controller.until('slices', async () => same(await this.#world.slices(), Object.values(PODS)));
    await controller.until('a good answer at /livez', () => answers('https://192.0.2.10:10271/livez'));
    say('the controller, in its image, has written the slices, and is well');

    const proxier = this.#start('proxier', this.#proxierSpec('containers'));
    await proxier.until('a good answer at /livez', () => answers('http://192.0.2.10:10256/livez'));
    await proxier.until('rules', async () => same((await this.#kubeChains()).own.includes('KUBE-SERVICES'), true));
    await this.#onlyOwnVariant();
    // The Service has two endpoints, and one of them does not answer.
    await proxier.until('an answer of a Pod', async () =>
      same(await this.#world.ask().catch(String), 'the answering Pod\n'),
    );
    say(
      `the proxier, in its image, has written rules with iptables-${this.#situation.backend}, and they lead to a Pod`,
    );
    await this.#conntrack(proxier);
    const tables = await this.#program(this.#proxierSpec('containers'), 'nft', ['list', 'tables']);
    expect('a table of kube-proxy is left', tables.includes('table ip kube-proxy'), false);
    await this.#program(this.#proxierSpec('containers'), 'nfacct', ['version']);
    say('nft, in the image, finds no table of a kube-proxy in mode nftables');

    if (this.#situation.component) await this.#withoutComponent();
    expect('the controller ends with', await controller.terminate(), 0);
    expect('the proxier ends with', await proxier.terminate(), 0);
    await this.#onlyOwnVariant();
    say('both end with 0 after SIGTERM, and the rules stay');
    const main = this.#proxierSpec('containers');
    await this.#succeeds('--cleanup', this.#start('proxier', { ...main, args: ['proxier', '--cleanup'] }));
    // What kubelet owns stays.
    const left = this.#situation.before.flat().includes('KUBE-IPTABLES-HINT')
      ? ['KUBE-FIREWALL', 'KUBE-IPTABLES-HINT']
      : ['KUBE-FIREWALL'];
    const { own, other } = await this.#kubeChains();
    expect('chains after --cleanup', [...own, ...other].sort(), left);
    say('--cleanup has removed all rules');
  }

  /** The rights that the programs really have, and whether they can write to their own image. */
  async #fences(): Promise<void> {
    const look = `
      const fs = require('node:fs');
      const status = fs.readFileSync('/proc/self/status', 'utf8');
      const field = (name) => status.match(new RegExp('^' + name + ':\\\\s+(\\\\S+)', 'm'))[1];
      let written = 'written';
      try { fs.writeFileSync('/usr/share/slicewise/x', ''); } catch (error) { written = error.code; }
      console.log(JSON.stringify([field('Uid'), field('Gid'), field('CapEff'), field('CapBnd'), field('NoNewPrivs'), written]));`;
    const seen = async (name: 'controller' | 'proxier', spec: ContainerSpec) => {
      const image = { ...this.#images[name], entrypoint: ['/usr/local/bin/node'] };
      const container = this.#start(name, { ...spec, args: ['-e', look] }, image);
      await this.#succeeds('looking at its own rights', container);
      return JSON.parse(container.log) as unknown;
    };
    const none = '0'.repeat(16);
    expect('the controller runs as', await seen('controller', this.#controllerSpec()), [
      '65532',
      '65532',
      none,
      none,
      '1',
      'EROFS',
    ]);
    const rights = this.#situation.component ? '0000000000003000' : '0000000000001000';
    expect('the proxier runs as', await seen('proxier', this.#proxierSpec('containers')), [
      '0',
      '0',
      rights,
      rights,
      '1',
      'EROFS',
    ]);
    say('each has only the rights that its manifest leaves it, and cannot write to its image');
  }

  /** iptables-legacy with the rights that iptables-nft needs. */
  async #withoutComponent(): Promise<void> {
    const spec = this.#proxierSpec('containers');
    const fewer = this.#start('proxier', { ...spec, capabilities: ['NET_ADMIN'], args: ['proxier', '--cleanup'] });
    expect('without manifests/proxier-legacy the proxier ends with', await fewer.end(), 1);
    expect('it says what is missing', /^slicewise: .*NET_RAW.*\n$/.test(fewer.log), true);
    say('without manifests/proxier-legacy it says in one line that NET_RAW is missing, and changes nothing');
  }

  /** A datagram leaves a flow behind; with the Pod that it led to, it has to go. */
  async #conntrack(proxier: Container): Promise<void> {
    const flows = async () => {
      const list = await this.#program(this.#proxierSpec('containers'), 'conntrack', [
        '-L',
        '-p',
        'udp',
        '--orig-dst',
        this.#world.clusterIP,
      ]);
      return [...list.matchAll(/dport=53 .*?src=(\S+)/g)].map((match) => match[1]);
    };
    this.#world.keepFlows();
    await proxier.until('a flow to the silent Pod', async () => {
      await this.#world.tell();
      return (await flows()).includes(PODS.silent) ? true : undefined;
    });
    await this.#world.removePod('silent');
    await proxier.until('the end of flows to the Pod that is gone', async () =>
      (await flows()).includes(PODS.silent) ? undefined : true,
    );
    say('conntrack, in the image, has deleted the UDP flows to a Pod that is gone');
  }

  /** Chains named KUBE-* in both variants, as plain `iptables-save` and the two by name tell. */
  async #kubeChains(): Promise<{ own: string[]; other: string[]; plain: string[] }> {
    const chains = async (program: string) => {
      const saved = await this.#program(this.#proxierSpec('initContainers'), program, []);
      return [...saved.matchAll(/^:(KUBE-\S+)/gm)].map((match) => match[1] ?? '');
    };
    const { backend } = this.#situation;
    return {
      own: await chains(`iptables-${backend}-save`),
      other: await chains(`iptables-${backend === 'nft' ? 'legacy' : 'nft'}-save`),
      plain: await chains('iptables-save'),
    };
  }

  async #onlyOwnVariant(): Promise<void> {
    const { own, other, plain } = await this.#kubeChains();
    expect('KUBE-SERVICES is among the chains', own.includes('KUBE-SERVICES'), true);
    expect('chains of the other variant', other, []);
    expect('chains that plain iptables-save shows', plain, own);
    const version = await this.#program(this.#proxierSpec('containers'), 'ip6tables', ['--version']);
    expect('plain ip6tables is nft', version.includes('(nf_tables)'), this.#situation.backend === 'nft');
  }

  /** What one of the image's own programs prints. */
  async #program(spec: ContainerSpec, program: string, args: string[]): Promise<string> {
    const container = this.#start(
      'proxier',
      { ...spec, args },
      { ...this.#images.proxier, entrypoint: [`/usr/sbin/${program}`], command: [] },
    );
    await this.#succeeds(`${program} ${args.join(' ')}`, container);
    return container.log;
  }

  #start(name: 'controller' | 'proxier', spec: ContainerSpec, image = this.#images[name]): Container {
    const folder = join(this.#folder, `${name}-${this.#count++}`);
    mkdirSync(folder);
    return new Container(image, spec, folder, this.#processes);
  }

  async #succeeds(what: string, container: Container): Promise<void> {
    const code = await container.end();
    if (code !== 0) throw new Error(`${what}: status ${code}:\n${container.log}`);
  }

  #controllerSpec(): ContainerSpec {
    const pod = at(manifest('controller/deployment.yaml'), 'spec', 'template', 'spec');
    return containerSpec(
      pod,
      at(pod, 'containers', 0),
      this.#images.controller,
      this.#world.surroundings('controller'),
    );
  }

  #proxierSpec(which: 'containers' | 'initContainers'): ContainerSpec {
    const pod = at(manifest('proxier/daemonset.yaml'), 'spec', 'template', 'spec');
    const spec = containerSpec(pod, at(pod, which, 0), this.#images.proxier, this.#world.surroundings('proxier'));
    if (which === 'initContainers' || !this.#situation.component) return spec;
    const patch: unknown = parse(String(at(manifest('proxier-legacy/kustomization.yaml'), 'patches', 0, 'patch')));
    return { ...spec, capabilities: [...spec.capabilities, String(at(patch, 0, 'value'))] };
  }
}

function manifest(file: string): unknown {
  return parse(readFileSync(join(manifests, file), 'utf8'));
}

async function answers(url: string): Promise<true | undefined> {
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    return (await request(url, { dispatcher: agent })).statusCode === 200 ? true : undefined;
  } catch (error) {
    // Not listening yet.
    if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return undefined;
    throw error;
  } finally {
    await agent.destroy();
  }
}

function same(seen: unknown, wanted: unknown): true | undefined {
  return isDeepStrictEqual(seen, wanted) ? true : undefined;
}

function expect(what: string, seen: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(seen, wanted))
    throw new Error(`${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`);
}

function say(line: string): void {
  process.stdout.write(`  ✓ ${line}\n`);
}
