import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { request } from 'undici';
import { startApiServer } from '../../src/embedded/apiserver/server.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../src/kube/kubeconfig.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { realExec } from '../../src/proxy/exec.ts';
import { at, manifests } from '../manifests/kustomize.ts';
import type { Surroundings } from './pod.ts';

export type Account = 'controller' | 'proxier';

export const NODE = 'node-1';
const HOST = '192.0.2.10';
/** Of one Pod that answers and of one that only has an address; both are this host's own. */
export const PODS = { answering: '192.0.2.20', silent: '192.0.2.21' } as const;
const PORT = 8080;
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

/** A node's network namespace with an API server in it: a Node, two ready Pods, and a Service of TCP and UDP over both. */
export interface World {
  clusterIP: string;
  /** What a Pod with this component's service account may refer to. */
  surroundings(account: Account): Surroundings;
  /** Addresses in the Service's slices; none before there is a slice. */
  slices(): Promise<string[]>;
  removePod(name: keyof typeof PODS): Promise<void>;
  /** What a client of the Service gets over TCP. */
  ask(): Promise<string>;
  /** Sends one datagram to the Service. */
  tell(): Promise<void>;
  /** From now on no flow ends because of its age, within the time of a test. */
  keepFlows(): void;
  stop(): Promise<void>;
}

/** @param folder scratch space; this process must be in a network namespace of its own */
export async function startWorld(folder: string): Promise<World> {
  await ip('link', 'set', 'lo', 'up');
  for (const address of [HOST, ...Object.values(PODS)]) await ip('addr', 'add', `${address}/32`, 'dev', 'lo');
  await ip('route', 'add', 'default', 'dev', 'lo');
  const users = { controller: 'slicewise-controller', proxier: 'slicewise-proxier' };
  const tokens = Object.entries(users).map(([token, name]) => [token, `system:serviceaccount:kube-system:${name}`]);
  const api = await startApiServer({ host: HOST, extraNames: [HOST], users: Object.fromEntries(tokens) });
  const kubeconfig = join(folder, 'kubeconfig');
  await api.writeKubeconfig(kubeconfig);
  const access = await loadClusterAccess({ kubeconfig });
  const client = createKubeClient(access, { userAgent: 'image-check', logger: silentLogger });
  const server = createServer((_, response) => response.end('the answering Pod\n'));
  server.listen(PORT, PODS.answering);
  await once(server, 'listening');
  const clusterIP = await populate(client);
  const { hostname, port } = new URL(api.url);
  for (const token of Object.keys(users)) {
    mkdirSync(join(folder, token));
    const files = { 'ca.crt': api.caData ?? '', namespace: 'kube-system', token };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, token, name), content);
  }
  const lock = join(folder, 'xtables.lock');
  writeFileSync(lock, '');
  // kubelet mounts a ConfigMap as a folder.
  const config = join(folder, 'config');
  mkdirSync(config);
  copyFileSync(join(manifests, 'proxier', 'config.conf'), join(config, 'config.conf'));
  return {
    clusterIP,
    surroundings: (account) => ({
      volumes: { 'xtables-lock': lock, config },
      fields: { 'status.hostIP': HOST, 'spec.nodeName': NODE },
      configMaps: { 'slicewise-api-server/host': hostname, 'slicewise-api-server/port': port },
      serviceAccount: join(folder, account),
    }),
    async slices() {
      const list = await client.request({ method: 'GET', path: SLICES });
      const slices = at(list, 'items') as unknown[];
      const endpoints = slices.flatMap((slice) => at(slice, 'endpoints') as unknown[]);
      return endpoints.map((endpoint) => String(at(endpoint, 'addresses', 0))).sort();
    },
    async removePod(name) {
      const query = { gracePeriodSeconds: 0 };
      await client.request({ method: 'DELETE', path: `/api/v1/namespaces/default/pods/${name}`, query });
    },
    ask: async () => (await request(`http://${clusterIP}:80/`, { headersTimeout: 2000 })).body.text(),
    tell: async () => {
      const socket = createSocket('udp4');
      await new Promise((resolve) => socket.send('hello', 53, clusterIP, resolve));
      socket.close();
    },
    keepFlows: () => writeFileSync('/proc/sys/net/netfilter/nf_conntrack_udp_timeout', '600'),
    async stop() {
      server.close();
      server.closeAllConnections();
      await client.close();
      await api.stop();
    },
  };
}

/** @returns the Service's cluster IP */
async function populate(client: KubeClient): Promise<string> {
  const post = (path: string, body: object) => client.request({ method: 'POST', path, body });
  const put = (path: string, body: object) => client.request({ method: 'PUT', path, body });
  const addresses = [{ type: 'InternalIP', address: HOST }];
  await post('/api/v1/nodes', { metadata: { name: NODE } });
  await put(`/api/v1/nodes/${NODE}/status`, { metadata: { name: NODE }, status: { addresses } });
  const pods = '/api/v1/namespaces/default/pods';
  for (const [name, podIP] of Object.entries(PODS)) {
    const pod = {
      metadata: { name, labels: { app: 'web' } },
      spec: { nodeName: NODE, containers: [{ name: 'web', image: 'web' }] },
    };
    const conditions = [{ type: 'Ready', status: 'True' }];
    await post(pods, pod);
    await put(`${pods}/${name}/status`, {
      ...pod,
      status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions },
    });
  }
  const service = await post('/api/v1/namespaces/default/services', {
    metadata: { name: 'web' },
    spec: {
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80, targetPort: PORT },
        { name: 'dns', protocol: 'UDP', port: 53 },
      ],
    },
  });
  return String(at(service, 'spec', 'clusterIP'));
}

async function ip(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await realExec({ command: 'ip', args, timeoutMs: 10_000 });
  if (exitCode !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}
