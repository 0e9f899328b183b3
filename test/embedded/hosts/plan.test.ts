import { describe, expect, it } from 'vitest';
import { fabricPlan, type NetStep, podPlan, podRemovalPlan } from '../../../src/embedded/hosts/plan.ts';
import { planTopology } from '../../../src/embedded/hosts/topology.ts';

const topology = planTopology([
  { name: 'one', zone: 'a' },
  { name: 'two', zone: 'b' },
]);
const [one] = topology.nodes;

const linesOn = (steps: NetStep[], host: string) =>
  steps.flatMap((step) => (step.kind === 'ip' && step.host === host ? step.lines : []));

describe('fabricPlan', () => {
  it('makes a namespace for each node and the client, but none for the wire', () => {
    const names = fabricPlan(topology, true).flatMap((step) => (step.kind === 'namespace' ? [step.name] : []));
    expect(names).toEqual(['one', 'two', 'client']);
  });

  it('routes the Pod networks of other nodes by their addresses and refuses unknown Pods of its own', () => {
    expect(linesOn(fabricPlan(topology, false), 'one')).toEqual([
      'link set lo up',
      'addr add 172.18.0.11/24 dev eth0',
      'link set eth0 up',
      'route add default via 172.18.0.1',
      'route add unreachable 10.244.0.0/24',
      'route add 10.244.1.0/24 via 172.18.0.12',
    ]);
  });

  it('gives the client no route into the cluster', () => {
    expect(linesOn(fabricPlan(topology, true), 'client').filter((line) => line.startsWith('route'))).toEqual([]);
  });

  it('turns forwarding on at nodes only', () => {
    const forwarding = fabricPlan(topology, true).flatMap((step) =>
      step.kind === 'sysctl' && step.values['ipv4/ip_forward'] === '1' ? [step.host] : [],
    );
    expect(forwarding).toEqual(['one', 'two']);
  });

  it('names no IPv6 address where the kernel has no IPv6', () => {
    const text = JSON.stringify(fabricPlan(topology, false).filter((step) => step.kind === 'ip'));
    expect(text).not.toMatch(/fd00|::/);
  });
});

describe('podPlan', () => {
  it('gives a Pod a routed veth pair with the node as gateway, and the node a route for this one address', () => {
    if (!one) throw new Error('no node');
    const steps = podPlan(one, { host: 'default/a', index: 7, ipv4: '10.244.0.2' });
    expect(linesOn(steps, 'one')).toEqual([
      'link add veth7 type veth peer name eth0 netns @default/a',
      'addr add 10.244.0.1/32 dev veth7',
      'link set veth7 up',
      'route add 10.244.0.2/32 dev veth7 src 10.244.0.1',
    ]);
    expect(linesOn(steps, 'default/a')).toEqual([
      'link set lo up',
      'addr add 10.244.0.2/32 dev eth0',
      'link set eth0 up',
      'route add 10.244.0.1 dev eth0 scope link',
      'route add default via 10.244.0.1',
    ]);
    expect(podRemovalPlan(one, { host: 'default/a', index: 7 })).toEqual([
      { kind: 'ip', host: 'one', lines: ['link del veth7'] },
      { kind: 'remove', name: 'default/a' },
    ]);
  });
});
