import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryHosts } from '../../../src/embedded/hosts/memory-hosts.ts';
import { planTopology } from '../../../src/embedded/hosts/topology.ts';

const topology = planTopology([{ name: 'node', zone: 'a' }]);

describe('hosts in memory', () => {
  let hosts: MemoryHosts;

  beforeEach(() => {
    hosts = new MemoryHosts({
      topology,
      programs: {
        echo: ({ argv, print }) => {
          print(argv.slice(1).join(' '));
          return 0;
        },
        serve: async ({ host, env, print, signalled }) => {
          print(`listening on ${host} ${env.PORTS}`);
          print(`got ${await signalled}`);
          return 0;
        },
        crash: () => {
          throw new Error('no disk');
        },
      },
    });
  });
  afterEach(() => hosts.stop());

  it('runs a program to its end', async () => {
    expect(await hosts.exec('client', ['echo', 'a', 'b'])).toEqual({ code: 0, stdout: 'a b\n', stderr: '' });
    expect(await hosts.exec('client', ['crash'])).toEqual({ code: 1, stdout: 'no disk\n', stderr: '' });
  });

  it('ends a command that it does not have with code 127, as real hosts do', async () => {
    expect(await hosts.exec('node', ['iptables-save'])).toEqual({
      code: 127,
      stdout: '',
      stderr: 'failed to execute iptables-save: there are no commands on hosts in memory\n',
    });
  });

  it('lets a program end in its own way on SIGTERM, and in none on SIGKILL', async () => {
    await hosts.addPod('node', { pod: 'default/a', ipv4: '10.244.0.2' });
    const polite = await hosts.spawn('default/a', ['serve'], { env: { PORTS: '80' } });
    expect(await polite.waitForLine(/listening/)).toBe('listening on default/a 80');
    polite.kill('SIGTERM');
    expect(await polite.exited).toEqual({ code: 0, signal: null });
    expect(polite.recentLines.at(-1)).toBe('got SIGTERM');

    const killed = await hosts.spawn('default/a', ['serve']);
    await killed.waitForLine(/listening/);
    killed.kill('SIGKILL');
    expect(await killed.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('kills what runs in a removed Pod', async () => {
    await hosts.addPod('node', { pod: 'default/a', ipv4: '10.244.0.2' });
    const server = await hosts.spawn('default/a', ['serve']);
    await hosts.removePod('default/a');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(hosts.exec('default/a', ['echo'])).rejects.toThrow('unknown host "default/a"');
  });

  it('refuses what real hosts refuse', async () => {
    await hosts.addPod('node', { pod: 'default/a', ipv4: '10.244.0.2' });
    await expect(hosts.addPod('node', { pod: 'default/a', ipv4: '10.244.0.3' })).rejects.toThrow(
      'host "default/a" exists already',
    );
    await expect(hosts.addPod('node', { pod: 'default/b', ipv4: '10.244.0.2' })).rejects.toThrow(
      'address 10.244.0.2 of "default/b" is in use by "default/a"',
    );
    await expect(hosts.addPod('mars', { pod: 'default/b', ipv4: '10.244.0.3' })).rejects.toThrow('unknown node "mars"');
    await expect(hosts.addPod('node', { pod: 'b', ipv4: '10.244.0.3' })).rejects.toThrow('"b" is not NAMESPACE/NAME');
  });

  it('leaves no directory and no process after stop, and refuses further work', async () => {
    const server = await hosts.spawn('node', ['serve']);
    expect(existsSync(hosts.runDir)).toBe(true);
    await hosts.stop();
    expect(existsSync(hosts.runDir)).toBe(false);
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(hosts.exec('node', ['echo'])).rejects.toThrow('stopping');
  });
});
