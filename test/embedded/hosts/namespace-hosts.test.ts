import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runLoad } from '../../../src/embedded/hosts/load-result.ts';
import { type NamespaceHosts, startNamespaceHosts } from '../../../src/embedded/hosts/namespace-hosts.ts';
import { settledLeftovers, tracesOf } from '../../../src/embedded/hosts/traces.ts';
import { ability, ownNetwork, topology } from './namespaces.ts';

const POD_SERVER = fileURLToPath(new URL('../../../src/embedded/hosts/pod-server.ts', import.meta.url));

describe.skipIf(!ability.able)('hosts as network namespaces', () => {
  let hosts: NamespaceHosts;
  let before: string[];

  async function serve(pod: string, node: string, ports = '80/TCP') {
    const process_ = await hosts.spawn(pod, [process.execPath, POD_SERVER], {
      env: { POD_NAME: pod, NODE_NAME: node, PORTS: ports },
    });
    await process_.waitForLine(/listening/);
    return process_;
  }

  const ask = async (from: string, address: string, port = 80) => {
    const { pods, clients, errors } = await runLoad(hosts, from, { address, port, count: 1 });
    return { pods, clients, errors };
  };

  beforeAll(async () => {
    before = ownNetwork();
    hosts = await startNamespaceHosts({ topology });
    await hosts.addPod('worker1', { pod: 'default/a', ipv4: '10.244.1.2', ipv6: 'fd00:10:244:1::2' });
    await hosts.addPod('worker1', { pod: 'default/b', ipv4: '10.244.1.3', ipv6: 'fd00:10:244:1::3' });
    await hosts.addPod('worker2', { pod: 'default/c', ipv4: '10.244.2.2', ipv6: 'fd00:10:244:2::2' });
    await Promise.all([serve('default/a', 'worker1'), serve('default/b', 'worker1'), serve('default/c', 'worker2')]);
  });

  afterAll(async () => {
    const traces = tracesOf(hosts.pid, hosts.runDir);
    expect(traces.processes.size).toBeGreaterThan(3);
    await hosts.stop();
    expect(await settledLeftovers(traces)).toEqual([]);
    expect(ownNetwork()).toEqual(before);
  });

  it('lets a Pod reach Pods on its own node and on others, with its own address as the client', async () => {
    const clients = { '10.244.1.2': 1 };
    expect(await ask('default/a', '10.244.1.3')).toEqual({ pods: { 'default/b': 1 }, clients, errors: {} });
    expect(await ask('default/a', '10.244.2.2')).toEqual({ pods: { 'default/c': 1 }, clients, errors: {} });
  });

  it('carries IPv6 between Pods of different nodes', async () => {
    expect(await ask('default/a', 'fd00:10:244:2::2')).toEqual({
      pods: { 'default/c': 1 },
      clients: { 'fd00:10:244:1::2': 1 },
      errors: {},
    });
  });

  it('lets a node reach its own Pods by the Pods gateway address, and those of others by its own', async () => {
    expect((await ask('worker1', '10.244.1.2')).clients).toEqual({ '10.244.1.1': 1 });
    expect((await ask('worker1', '10.244.2.2')).clients).toEqual({ '172.18.0.12': 1 });
    expect((await ask('control', '10.244.2.2')).clients).toEqual({ '172.18.0.11': 1 });
  });

  it('keeps the client outside: it has no way to a Pod address', async () => {
    const { errors } = await runLoad(hosts, 'client', { address: '10.244.1.2', port: 80, count: 1, timeoutMs: 300 });
    expect(Object.values(errors)).toEqual([1]);
  });

  it('refuses a Pod address that no Pod has, at once', async () => {
    expect((await ask('default/a', '10.244.1.99')).errors).toEqual({ EHOSTUNREACH: 1 });
  });

  it('sends all packets between Pods of one node through the rules of that node, and lets a Pod reach itself so', async () => {
    // A Service of one endpoint, written by hand: 10.96.0.77:3000 -> default/a, masqueraded when default/a itself asks.
    const rules = `*nat
:POSTROUTING ACCEPT
-A PREROUTING -d 10.96.0.77/32 -p tcp --dport 3000 -j DNAT --to-destination 10.244.1.2:80
-A POSTROUTING -s 10.244.1.2/32 -d 10.244.1.2/32 -j MASQUERADE
COMMIT
`;
    const restored = await hosts.exec('worker1', ['iptables-restore', '--noflush'], { input: rules });
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    expect(await ask('default/b', '10.96.0.77', 3000)).toEqual({
      pods: { 'default/a': 1 },
      clients: { '10.244.1.3': 1 },
      errors: {},
    });
    expect(await ask('default/a', '10.96.0.77', 3000)).toEqual({
      pods: { 'default/a': 1 },
      clients: { '10.244.1.1': 1 },
      errors: {},
    });
    const elsewhere = await hosts.exec('worker2', ['iptables-save', '-t', 'nat']);
    expect(elsewhere.stdout).not.toContain('10.96.0.77');
    await hosts.exec('worker1', ['iptables', '-t', 'nat', '-F']);
  });

  it('hands out a listener on the wire whose connections arrive here', async () => {
    const listener = await hosts.listenOnWire(6443);
    listener.on('connection', (socket) => socket.end(`you are ${socket.remoteAddress}`));
    const script = `require('node:net').connect(6443, '172.18.0.1').pipe(process.stdout)`;
    const { stdout } = await hosts.exec('worker2', [process.execPath, '-e', script]);
    expect(stdout).toBe('you are 172.18.0.13');
    await new Promise((resolve) => listener.close(resolve));
  });

  it('answers UDP from a Pod', async () => {
    await hosts.addPod('worker2', { pod: 'default/dns', ipv4: '10.244.2.53' });
    await serve('default/dns', 'worker2', '53/UDP');
    const script = `const s = require('node:dgram').createSocket('udp4');
      s.on('message', (m) => { process.stdout.write(m); s.close(); }); s.send('?', 53, '10.244.2.53');`;
    const { stdout } = await hosts.exec('default/a', [process.execPath, '-e', script]);
    expect(JSON.parse(stdout)).toEqual({ pod: 'default/dns', node: 'worker2', client: '10.244.1.2', port: 53 });
    await hosts.removePod('default/dns');
  });

  it('kills what runs in a Pod that is removed, and gives its address to the next', async () => {
    await hosts.addPod('worker1', { pod: 'default/gone', ipv4: '10.244.1.9' });
    const server = await serve('default/gone', 'worker1');
    await hosts.removePod('default/gone');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect((await ask('default/a', '10.244.1.9')).errors).toEqual({ EHOSTUNREACH: 1 });
    await expect(hosts.exec('default/gone', ['true'])).rejects.toThrow('unknown host "default/gone"');
    await hosts.addPod('worker1', { pod: 'default/gone', ipv4: '10.244.1.9' });
    await serve('default/gone', 'worker1');
    expect((await ask('default/a', '10.244.1.9')).pods).toEqual({ 'default/gone': 1 });
    await hosts.removePod('default/gone');
  });

  it('ends a Pod server on SIGTERM with code 0', async () => {
    await hosts.addPod('worker1', { pod: 'default/polite', ipv4: '10.244.1.10' });
    const server = await serve('default/polite', 'worker1');
    server.kill('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await hosts.removePod('default/polite');
  });

  it('says which command failed on which host, and what it wrote', async () => {
    expect(await hosts.exec('worker1', ['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect((await hosts.exec('worker1', ['no-such-command'])).code).toBe(127);
    await expect(hosts.exec('worker1', ['sleep', '60'], { timeoutMs: 50 })).rejects.toThrow(
      'on worker1: "sleep 60" took longer than 50 ms',
    );
    await expect(hosts.addPod('worker9', { pod: 'a/b', ipv4: '10.244.9.1' })).rejects.toThrow('unknown node "worker9"');
  });

  it('passes standard input and environment', async () => {
    const run = await hosts.exec('client', ['sh', '-c', 'cat; echo $GREETING'], {
      input: 'hello\n',
      env: { GREETING: 'world' },
    });
    expect(run.stdout).toBe('hello\nworld\n');
  });
});
