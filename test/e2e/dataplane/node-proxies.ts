import { existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostProcess, Hosts } from '../../../src/embedded/hosts/hosts.ts';
import { adminPath } from '../../../src/embedded/hosts/prerequisites.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import { binaryNames, type IptablesBackend } from '../../../src/proxy/iptables/backend.ts';
import { CLUSTER_CIDR, type NodeName } from './places.ts';

/** A proxy that is run on a node by its own program. */
export interface NodeProxyProgram {
  readonly name: string;
  /** Resolves when every rule is written. */
  start(node: NodeName): Promise<HostProcess>;
}

export interface ProgramOptions {
  hosts: Hosts;
  backend: IptablesBackend;
  families: readonly IPFamily[];
  kubeconfig: string;
}

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

export function slicewiseProxier(options: ProgramOptions): NodeProxyProgram {
  const { hosts, backend } = options;
  return {
    name: 'slicewise',
    async start(node) {
      const flags = [...commonFlags(options, node), '--iptables-backend', backend];
      const process_ = await hosts.spawn(node, [process.execPath, MAIN, 'proxier', ...flags]);
      await process_.waitForLine(/proxier synced/);
      return process_;
    },
  };
}

/** @param file path of the real kube-proxy */
export function kubeProxy(file: string, options: ProgramOptions): NodeProxyProgram {
  const { hosts, backend, families } = options;
  return {
    name: 'kube-proxy',
    async start(node) {
      const flags = [...commonFlags(options, node), '--proxy-mode', 'iptables', '--v', '4'];
      // The embedded API server speaks JSON only.
      flags.push('--kube-api-content-type', 'application/json');
      const path = [variantFolder(hosts.runDir, backend), adminPath()].join(delimiter);
      const process_ = await hosts.spawn(node, [file, ...flags], { env: { PATH: path } });
      for (const family of families)
        await process_.waitForLine(new RegExp(`SyncProxyRules complete.*ipFamily="?${family}`));
      return process_;
    },
  };
}

/** Conntrack limits belong to the machine, which a namespace may not set. */
function commonFlags({ kubeconfig, families }: ProgramOptions, node: NodeName): string[] {
  return [
    ...['--kubeconfig', kubeconfig, '--hostname-override', node],
    ...['--cluster-cidr', families.map((family) => CLUSTER_CIDR[family]).join(',')],
    ...['--conntrack-max-per-core', '0', '--conntrack-tcp-timeout-established', '0'],
    ...['--conntrack-tcp-timeout-close-wait', '0'],
  ];
}

/** A folder in which the plain names of the iptables programs stand for those of one backend. */
export function variantFolder(runDir: string, backend: IptablesBackend): string {
  const folder = join(runDir, `iptables-${backend}`);
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  for (const family of ['IPv4', 'IPv6'] as const) {
    const [plain, variant] = [binaryNames(family), binaryNames(family, backend)];
    for (const key of ['command', 'save', 'restore'] as const)
      symlinkSync(found(variant[key]), join(folder, plain[key]));
  }
  return folder;
}

/** The program behind a name: it tells what it is to do by the name it is called. */
function found(name: string): string {
  for (const folder of adminPath().split(delimiter)) {
    const file = join(folder, name);
    if (existsSync(file)) return realpathSync(file);
  }
  throw new Error(`${name} is not in PATH`);
}
