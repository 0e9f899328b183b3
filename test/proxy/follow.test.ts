import { describe, expect, test } from 'vitest';
import type { Node } from '../../src/objects/node.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { followConfig, followNode } from '../../src/proxy/follow.ts';
import { nodeFacts } from '../../src/proxy/node.ts';
import { OwnNode } from '../../src/proxy/own-node.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { flags, HEADER, loadFile, loadFlags } from './config/support.ts';

const node = (zone: string, podCIDR: string): Node => ({
  metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': zone } },
  spec: { podCIDRs: [podCIDR] },
  status: { addresses: [{ type: 'InternalIP', address: '192.168.0.2' }] },
});

describe('following the Node', () => {
  function setUp(detectLocalMode: string) {
    const own = new OwnNode('n1', new FakeClock());
    const before = node('a', '10.1.0.0/24');
    own.onAdd(before);
    const seen: string[] = [];
    followNode(own, {
      start: nodeFacts(before),
      detectLocalMode,
      setZone: (zone) => seen.push(`zone ${zone}`),
      ending: { fail: (reason) => seen.push(`end: ${reason}`) },
      logger: silentLogger,
    });
    return { own, before, seen };
  }

  test('hands a new zone on, once', () => {
    const { own, before, seen } = setUp('ClusterCIDR');
    own.onUpdate(before, node('b', '10.1.0.0/24'));
    own.onUpdate(before, node('b', '10.1.0.0/24'));
    expect(seen).toEqual(['zone b']);
  });

  test('ends the run when the Pod range changes that rules were made from, and only then', () => {
    const { own, before, seen } = setUp('NodeCIDR');
    own.onUpdate(before, node('a', '10.9.0.0/24'));
    expect(seen).toEqual(["end: the node's podCIDRs changed from 10.1.0.0/24 to 10.9.0.0/24"]);
    const other = setUp('ClusterCIDR');
    other.own.onUpdate(before, node('a', '10.9.0.0/24'));
    expect(other.seen).toEqual([]);
  });

  test('takes a deleted Node for no change', () => {
    const { own, seen } = setUp('NodeCIDR');
    own.onDelete();
    expect(seen).toEqual([]);
  });
});

describe('following the configuration file', () => {
  async function ends(text: string): Promise<number> {
    const clock = new FakeClock();
    let ended = 0;
    const watch = followConfig(loadFile('clusterCIDR: 10.0.0.0/8'), {
      flags: flags({ config: '/etc/proxy.yaml' }),
      readFile: async () => HEADER + text,
      ending: { end: () => ended++ },
      clock,
      logger: silentLogger,
    });
    await clock.advance(120_000);
    watch?.stop();
    return ended;
  }

  test('ends the run for another valid configuration, not for the same or a bad one', async () => {
    expect(await ends('clusterCIDR: 10.99.0.0/16')).toBe(1);
    expect(await ends('clusterCIDR: 10.0.0.0/8  # the same')).toBe(0);
    expect(await ends('clusterCIDR: [')).toBe(0);
  });

  test('has nothing to follow without a file', () => {
    const options = {
      flags: flags({}),
      readFile: async () => '',
      ending: { end: () => {} },
      clock: new FakeClock(),
      logger: silentLogger,
    };
    expect(followConfig(loadFlags({}), options)).toBeUndefined();
  });
});
