import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryHosts } from '../../../src/embedded/hosts/memory-hosts.ts';
import { HostsPodRuntime } from '../../../src/embedded/kubelet/hosts-runtime.ts';
import type { PodObject } from '../../../src/embedded/kubelet/objects.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { topology } from './cluster.ts';

const [, node] = topology.nodes;
if (!node) throw new Error('no node');

function web(name: string, spec: Partial<PodObject['spec']> = {}): PodObject {
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      containers: [
        { name: 'http', ports: [{ containerPort: 80 }, { containerPort: 443 }] },
        { name: 'dns', ports: [{ containerPort: 53, protocol: 'UDP' }] },
      ],
      ...spec,
    },
  };
}

describe('Pods as hosts of their own', () => {
  let hosts: MemoryHosts;
  let clock: FakeClock;
  let runtime: HostsPodRuntime;
  let stubborn: boolean;
  const started: { host: string; env: Record<string, string> }[] = [];

  beforeEach(() => {
    stubborn = false;
    started.length = 0;
    clock = new FakeClock();
    hosts = new MemoryHosts({
      topology,
      programs: {
        [process.execPath]: async ({ host, env, print, signalled }) => {
          started.push({ host, env });
          print(`listening on ${env.PORTS}`);
          await signalled;
          if (stubborn) await new Promise(() => undefined);
          return 0;
        },
      },
    });
    runtime = new HostsPodRuntime(hosts, node, clock);
  });
  afterEach(() => hosts.stop());

  it('gives a Pod a host with addresses of both families, and a server that knows its declared ports', async () => {
    const sandbox = await runtime.createSandbox(web('a'));
    expect(sandbox.ips).toEqual(['10.244.1.2', 'fd00:10:244:1::2']);
    await sandbox.start();
    expect(started).toEqual([
      { host: 'default/a', env: { POD_NAME: 'a', NODE_NAME: 'worker1', PORTS: '80/TCP,443/TCP,53/UDP' } },
    ]);
    const other = await runtime.createSandbox(web('b'));
    expect(other.ips).toEqual(['10.244.1.3', 'fd00:10:244:1::3']);
  });

  it('ends a server politely', async () => {
    const sandbox = await runtime.createSandbox(web('a'));
    const containers = await sandbox.start();
    await containers.stop(30_000);
    expect(await containers.exited).toBe(0);
    expect(clock.nextTimerIn).toBeUndefined();
  });

  it('kills a server that does not end within its grace', async () => {
    stubborn = true;
    const containers = await (await runtime.createSandbox(web('a'))).start();
    const stopping = containers.stop(30_000);
    await settle();
    expect(clock.nextTimerIn).toBe(30_000);
    await clock.advance(30_000);
    await stopping;
    expect(await containers.exited).toBe(137);
  });

  it('removes the host with its Pod, and may use the name again', async () => {
    const sandbox = await runtime.createSandbox(web('a'));
    const containers = await sandbox.start();
    await sandbox.remove();
    expect(await containers.exited).toBe(137);
    await expect(hosts.exec('default/a', ['true'])).rejects.toThrow('unknown host');
    expect((await runtime.createSandbox(web('a'))).ips[0]).toBe('10.244.1.3');
  });

  it('keeps no address for a Pod whose host could not be made', async () => {
    await runtime.createSandbox(web('a'));
    await expect(runtime.createSandbox(web('a'))).rejects.toThrow('host "default/a" exists already');
    for (let i = 4; i <= 254; i++) expect((await runtime.createSandbox(web(`n${i}`))).ips[0]).toBe(`10.244.1.${i}`);
    expect((await runtime.createSandbox(web('last'))).ips[0]).toBe('10.244.1.3');
  });

  it('runs a host-network Pod on the node itself, which stays', async () => {
    const sandbox = await runtime.createSandbox(web('agent', { hostNetwork: true }));
    expect(sandbox.ips).toEqual(['172.18.0.12', 'fd00:172:18::12']);
    const containers = await sandbox.start();
    expect(started[0]?.host).toBe('worker1');
    await containers.stop(0);
    await sandbox.remove();
    expect((await hosts.exec('worker1', ['anything'])).code).toBe(127);
  });
});
