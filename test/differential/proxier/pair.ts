import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { HostProcess } from '../../../src/embedded/hosts/hosts.ts';
import { type NamespaceHosts, startNamespaceHosts } from '../../../src/embedded/hosts/namespace-hosts.ts';
import { adminPath } from '../../../src/embedded/hosts/prerequisites.ts';
import { planTopology } from '../../../src/embedded/hosts/topology.ts';
import { binaryNames } from '../../../src/proxy/iptables/backend.ts';
import { variantFolder } from '../../e2e/dataplane/node-proxies.ts';
import { canonicalSave } from '../../e2e/dataplane/saved-rules.ts';
import { type AnyObject, ObjectServer } from './object-server.ts';

export type Side = 'upstream' | 'slicewise';
export const SIDES: readonly Side[] = ['upstream', 'slicewise'];

/** What one moment of a cluster looks like to a proxy. */
export interface Snapshot {
  services: readonly AnyObject[];
  slices: readonly AnyObject[];
}

/** The Node that both believe to run on; each runs on a machine of its own. */
export const NODE = 'n1';
export const NODE_IPS = { IPv4: '192.0.2.11', IPv6: '2001:db8::11' } as const;

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const PORT = 6443;
const FAMILIES = ['IPv4', 'IPv6'] as const;
const TOPOLOGY = planTopology(SIDES.map((name) => ({ name, zone: 'a' })));

/** kube-proxy and ours, each on a machine of its own, fed with the same objects. */
export class Pair {
  readonly hosts: NamespaceHosts;
  readonly server = new ObjectServer();
  readonly #kubeProxy: string;
  #running: Record<Side, HostProcess> | undefined;
  #step = 0;

  /** @param kubeProxy path of the program */
  static async open(kubeProxy: string): Promise<Pair> {
    const hosts = await startNamespaceHosts({ topology: TOPOLOGY });
    const pair = new Pair(hosts, kubeProxy);
    try {
      (await hosts.listenOnWire(PORT)).on('connection', (socket) => pair.server.accept(socket));
      pair.setNode({});
      return pair;
    } catch (error) {
      await pair.close();
      throw error;
    }
  }

  constructor(hosts: NamespaceHosts, kubeProxy: string) {
    this.hosts = hosts;
    this.#kubeProxy = kubeProxy;
  }

  async close(): Promise<void> {
    this.server.stop();
    await this.hosts.stop();
  }

  setNode({ labels = {}, metadata = {}, addresses = Object.values(NODE_IPS), spec = {} }: NodeDraft): void {
    this.server.replace('nodes', [
      {
        metadata: { name: NODE, labels, ...metadata },
        spec: { podCIDRs: ['10.244.3.0/24', 'fd00:10:244:3::/64'], ...spec },
        status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
      },
    ]);
  }

  /** Starts both with one KubeProxyConfiguration on empty tables. */
  async start(config: object): Promise<void> {
    const { hosts } = this;
    const file = this.#write(config);
    for (const side of SIDES) await this.flush(side);
    const flags = ['--config', file, '--v', '4'];
    const spawn = (side: Side) => hosts.spawn(side, [...this.#program(side), ...flags], this.#env());
    this.#running = { upstream: await spawn('upstream'), slicewise: await spawn('slicewise') };
  }

  async stop(): Promise<void> {
    for (const process_ of Object.values(this.#running ?? {})) {
      process_.kill('SIGTERM');
      await process_.exited;
    }
    this.#running = undefined;
  }

  /** Runs one's program on its machine to the end. */
  async run(side: Side, config: object, ...flags: string[]): Promise<void> {
    const argv = [...this.#program(side), '--config', this.#write(config), ...flags];
    const { code, stderr } = await this.hosts.exec(side, argv, this.#env());
    if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  }

  /** Lets one's program clean up on the machine of the other, or on its own. */
  async cleanUp(machine: Side, program: Side): Promise<void> {
    const argv = [...this.#program(program), '--cleanup'];
    const { code, stderr } = await this.hosts.exec(machine, argv, this.#env());
    if (code !== 0) throw new Error(`${argv.join(' ')} on ${machine}: ${stderr}`);
  }

  /** Status with which each ended by itself. */
  async exitCodes(): Promise<Record<Side, number | null>> {
    const running = this.#running;
    if (!running) throw new Error('nothing runs');
    const [upstream, slicewise] = [await running.upstream.exited, await running.slicewise.exited];
    return { upstream: upstream.code, slicewise: slicewise.code };
  }

  /** The last lines of a program's log. */
  log(side: Side): string {
    return this.#running?.[side].recentLines.slice(-15).join('\n') ?? '';
  }

  /** Shows both the same objects, and waits until both have written what came of them. */
  async show({ services, slices }: Snapshot): Promise<void> {
    const step = ++this.#step;
    this.server.replace('services', [...services, markerService(step)]);
    this.server.replace('endpointslices', [...slices, ...FAMILIES.map((family) => markerSlice(step, family))]);
    for (const side of SIDES) {
      for (const family of FAMILIES) await this.#settled(side, family, step);
    }
  }

  /** Both sides' rules, as far as they count, once they are equal, or after a while as they are. */
  async rules(counts: (rule: string) => boolean = () => true): Promise<Record<Side, string[]>> {
    for (let tries = 0; ; tries++) {
      const [upstream = [], slicewise = []] = await Promise.all(
        SIDES.map(async (side) => (await this.#rulesOf(side)).filter(counts)),
      );
      if (tries === 20 || upstream.join() === slicewise.join()) return { upstream, slicewise };
      await delay(50);
    }
  }

  async exec(side: Side, ...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.hosts.exec(side, argv);
    if (code !== 0) throw new Error(`${argv.join(' ')} on ${side}: ${stderr}`);
    return stdout;
  }

  /** One request from the machine itself. */
  async get(side: Side, url: string, method = 'GET'): Promise<Page> {
    return JSON.parse(await this.exec(side, process.execPath, '-e', GET, url, method)) as Page;
  }

  async flush(side: Side): Promise<void> {
    for (const family of FAMILIES) {
      const { command } = binaryNames(family, 'nft');
      for (const table of ['nat', 'filter', 'mangle', 'raw']) {
        await this.exec(side, command, '-t', table, '-F');
        await this.exec(side, command, '-t', table, '-X');
      }
    }
  }

  /** Writes a configuration, and the kubeconfig that it names; the path of the former. */
  #write(config: object): string {
    const { hosts } = this;
    const kubeconfig = join(hosts.runDir, 'kubeconfig');
    writeFileSync(kubeconfig, kubeconfigText(`http://${hosts.topology.wire.ipv4}:${PORT}`));
    const file = join(hosts.runDir, 'config.yaml');
    writeFileSync(file, stringify(completeConfig(config, kubeconfig)));
    return file;
  }

  #program(side: Side): string[] {
    if (side === 'upstream') return [this.#kubeProxy];
    return [process.execPath, MAIN, 'proxier', '--iptables-backend', 'nft'];
  }

  #env() {
    return { env: { PATH: [variantFolder(this.hosts.runDir, 'nft'), adminPath()].join(':') } };
  }

  async #rulesOf(side: Side): Promise<string[]> {
    const saves = FAMILIES.map((family) => this.exec(side, binaryNames(family, 'nft').save));
    const lines = (await Promise.all(saves)).flatMap((save, i) =>
      canonicalSave(save).map((line) => `${FAMILIES[i]} ${line}`),
    );
    // Whether an empty table has been looked at yet.
    return lines.filter((line) => !/ :[A-Z]+ ACCEPT$/.test(line));
  }

  /** The marker's port comes with its Service and the address with its slice, so nothing that came before is still to come. */
  async #settled(side: Side, family: (typeof FAMILIES)[number], step: number): Promise<void> {
    const { save } = binaryNames(family, 'nft');
    const service = new RegExp(`--dport ${step} -j KUBE-SVC-`);
    const slice = `--to-destination ${markerEndpoint(step, family)}`;
    for (let tries = 0; tries < 600; tries++) {
      const text = await this.exec(side, save, '-t', 'nat');
      if (service.test(text) && text.includes(slice)) return;
      await delay(25);
    }
    throw new Error(`${side} has not written step ${step} for ${family}; its log ends\n${this.log(side)}`);
  }
}

export interface Page {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const GET = `const [url, method] = process.argv.slice(1);
fetch(url, { method }).then(async (r) => console.log(JSON.stringify({
  status: r.status, headers: Object.fromEntries(r.headers), body: await r.text() })));`;

export interface NodeDraft {
  labels?: Record<string, string>;
  metadata?: object;
  addresses?: readonly string[];
  spec?: object;
}

/** Kernel limits belong to the machine, which a namespace may not set. */
function completeConfig(config: object, kubeconfig: string): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig, contentType: 'application/json' },
    hostnameOverride: NODE,
    mode: 'iptables',
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    ...config,
  };
}

function kubeconfigText(server: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user: {} }],
    'current-context': 'c',
  });
}

function markerService(step: number): AnyObject {
  return {
    metadata: { namespace: 'marker', name: 'marker' },
    spec: {
      type: 'ClusterIP',
      clusterIP: '172.31.255.254',
      clusterIPs: ['172.31.255.254', 'fd00:31::ffff'],
      ipFamilies: ['IPv4', 'IPv6'],
      ports: [{ name: 'step', protocol: 'TCP', port: step }],
    },
  };
}

function markerEndpoint(step: number, family: (typeof FAMILIES)[number]): string {
  return family === 'IPv4' ? `10.99.${step >> 8}.${step & 255}:1` : `[fd00:99::${step.toString(16)}]:1`;
}

function markerSlice(step: number, family: (typeof FAMILIES)[number]): AnyObject {
  const address = family === 'IPv4' ? `10.99.${step >> 8}.${step & 255}` : `fd00:99::${step.toString(16)}`;
  return {
    metadata: {
      namespace: 'marker',
      name: `marker-${family.toLowerCase()}`,
      labels: { 'kubernetes.io/service-name': 'marker' },
    },
    addressType: family,
    ports: [{ name: 'step', protocol: 'TCP', port: 1 }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  };
}
